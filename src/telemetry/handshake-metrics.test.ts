import { expect, test } from '@jest/globals';
import { renderHandshakes } from './handshake-metrics.ts';
import { CounterReader, WorkerCounters, createCounterMemory } from './worker-counters.ts';

test('handshakes of all workers, by kind, failure and time', () => {
  const memories = [createCounterMemory(), createCounterMemory()];
  const [a, b] = memories.map((memory) => new WorkerCounters(memory));
  const kind = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', resumed: false };
  a?.handshakeDone({ ...kind, ms: 2 });
  b?.handshakeDone({ ...kind, ms: 30 });
  b?.handshakeDone({ ...kind, cipher: 'TLS_AES_128_CCM_SHA256', resumed: true, ms: 9000 });
  b?.handshakeFailed('alpn');
  const text = renderHandshakes(memories.map((memory) => new CounterReader(memory)));
  expect(text.split('\n').filter((line) => !line.startsWith('#') && line !== '')).toEqual([
    'sallyport_tls_handshakes_total{version="TLSv1.3",cipher="TLS_AES_128_GCM_SHA256",resumed="false"} 2',
    'sallyport_tls_handshakes_total{version="TLSv1.3",cipher="other",resumed="true"} 1',
    'sallyport_tls_handshake_failures_total{reason="alpn"} 1',
    'sallyport_tls_handshake_seconds_bucket{le="0.001"} 0',
    'sallyport_tls_handshake_seconds_bucket{le="0.0025"} 1',
    'sallyport_tls_handshake_seconds_bucket{le="0.005"} 1',
    'sallyport_tls_handshake_seconds_bucket{le="0.01"} 1',
    'sallyport_tls_handshake_seconds_bucket{le="0.025"} 1',
    'sallyport_tls_handshake_seconds_bucket{le="0.05"} 2',
    'sallyport_tls_handshake_seconds_bucket{le="0.1"} 2',
    'sallyport_tls_handshake_seconds_bucket{le="0.25"} 2',
    'sallyport_tls_handshake_seconds_bucket{le="0.5"} 2',
    'sallyport_tls_handshake_seconds_bucket{le="1"} 2',
    'sallyport_tls_handshake_seconds_bucket{le="2.5"} 2',
    'sallyport_tls_handshake_seconds_bucket{le="+Inf"} 3',
    'sallyport_tls_handshake_seconds_sum 9.032',
    'sallyport_tls_handshake_seconds_count 3',
  ]);
});
