import { describe, expect, test } from '@jest/globals';
import { counterBytes, familyStarts } from './counter-layout.ts';
import { cellFamilies, http2Codes, http2Limits, seriesOf } from './protocol-cells.ts';
import { renderProtocolFamilies } from './protocol-families.ts';
import { CounterReader, WorkerCounters, createCounterMemory } from './worker-counters.ts';

type Count = (counters: WorkerCounters) => void;

/** Series that are not 0, as they are written. */
function seen(...counts: readonly Count[]): readonly string[] {
  const memories = counts.map(() => createCounterMemory());
  counts.forEach((count, worker) => count(new WorkerCounters(memories[worker] as SharedArrayBuffer)));
  return renderProtocolFamilies(memories.map((memory) => new CounterReader(memory)))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.endsWith(' 0'));
}

describe('what connections say to each other', () => {
  const cases: readonly (readonly [string, Count, readonly string[]])[] = [
    [
      'a session and its streams',
      ({ http2Client: tally }) => {
        tally.sessionOpened();
        tally.streamOpened();
        tally.streamOpened();
        tally.streamClosed();
      },
      [
        'sallyport_http2_sessions_active{worker="0",side="client"} 1',
        'sallyport_http2_sessions_total{worker="0",side="client"} 1',
        'sallyport_http2_streams_active{worker="0",side="client"} 1',
        'sallyport_http2_streams_total{worker="0",side="client"} 2',
      ],
    ],
    [
      'a session to an endpoint that is over',
      ({ http2Upstream: tally }) => {
        tally.sessionOpened();
        tally.sessionClosed();
      },
      ['sallyport_http2_sessions_total{worker="0",side="upstream"} 1'],
    ],
    [
      'GOAWAY and RST_STREAM by side, direction and code',
      ({ http2Client, http2Upstream }) => {
        http2Client.goawaySent(0);
        http2Client.goawayReceived(0xb);
        http2Upstream.goawaySent(2);
        http2Upstream.goawayReceived(0xd);
        http2Client.resetSent(8);
        http2Client.resetReceived(7);
        http2Upstream.resetSent(0xffff_ffff);
        http2Upstream.resetReceived(14);
        http2Upstream.resetReceived(15);
      },
      [
        'sallyport_http2_goaways_total{side="client",direction="sent",code="NO_ERROR"} 1',
        'sallyport_http2_goaways_total{side="client",direction="received",code="ENHANCE_YOUR_CALM"} 1',
        'sallyport_http2_goaways_total{side="upstream",direction="sent",code="INTERNAL_ERROR"} 1',
        'sallyport_http2_goaways_total{side="upstream",direction="received",code="HTTP_1_1_REQUIRED"} 1',
        'sallyport_http2_resets_total{side="client",direction="sent",code="CANCEL"} 1',
        'sallyport_http2_resets_total{side="client",direction="received",code="REFUSED_STREAM"} 1',
        'sallyport_http2_resets_total{side="upstream",direction="sent",code="other"} 1',
        'sallyport_http2_resets_total{side="upstream",direction="received",code="other"} 2',
      ],
    ],
    [
      'limits',
      ({ http2Client, http2Upstream }) => {
        http2Client.limitReached('reset');
        http2Upstream.limitReached('waiting');
      },
      [
        'sallyport_http2_limits_total{side="client",limit="reset"} 1',
        'sallyport_http2_limits_total{side="upstream",limit="waiting"} 1',
      ],
    ],
    [
      'tunnels by kind and by what ended them',
      (counters) => {
        counters.tunnelOpened('upgrade');
        counters.tunnelOpened('connect');
        counters.tunnelOpened('connect');
        counters.tunnelClosed('upgrade', 'route');
        counters.tunnelClosed('connect', 'client');
      },
      [
        'sallyport_tunnels_active{worker="0",kind="connect"} 1',
        'sallyport_tunnels_total{worker="0",kind="upgrade"} 1',
        'sallyport_tunnels_total{worker="0",kind="connect"} 2',
        'sallyport_tunnels_closed_total{reason="client"} 1',
        'sallyport_tunnels_closed_total{reason="route"} 1',
      ],
    ],
    [
      'requests by version',
      (counters) => {
        counters.requestVersion('HTTP/1.0');
        counters.requestVersion('HTTP/2');
        counters.requestVersion('HTTP/2');
      },
      [
        'sallyport_request_versions_total{version="HTTP/1.0"} 1',
        'sallyport_request_versions_total{version="HTTP/2"} 2',
      ],
    ],
    [
      'PROXY protocol headers',
      (counters) => {
        counters.proxyHeader('v2');
        counters.proxyHeaderFailed('checksum');
      },
      [
        'sallyport_proxy_protocol_headers_total{version="v2"} 1',
        'sallyport_proxy_protocol_failures_total{reason="checksum"} 1',
      ],
    ],
    [
      'certificates of clients, handshakes with endpoints',
      (counters) => {
        counters.clientCertificate('failed');
        counters.upstreamHandshakeDone(true);
        counters.upstreamHandshakeDone(false);
        counters.upstreamHandshakeFailed('name');
      },
      [
        'sallyport_client_certificates_total{result="failed"} 1',
        'sallyport_upstream_tls_handshakes_total{resumed="false"} 1',
        'sallyport_upstream_tls_handshakes_total{resumed="true"} 1',
        'sallyport_upstream_tls_handshake_failures_total{reason="name"} 1',
      ],
    ],
  ];

  test.each(cases)('%s', (_, count, expected) => {
    expect(seen(count)).toEqual(expected);
  });

  test('gauges are told by worker, the rest is summed', () => {
    const count: Count = (counters) => {
      counters.http2Client.sessionOpened();
      counters.http2Client.goawaySent(0);
    };
    expect(seen(count, count)).toEqual([
      'sallyport_http2_sessions_active{worker="0",side="client"} 1',
      'sallyport_http2_sessions_active{worker="1",side="client"} 1',
      'sallyport_http2_sessions_total{worker="0",side="client"} 1',
      'sallyport_http2_sessions_total{worker="1",side="client"} 1',
      'sallyport_http2_goaways_total{side="client",direction="sent",code="NO_ERROR"} 2',
    ]);
  });

  test('every code and limit of both sides has a cell of its own', () => {
    const series = seen(({ http2Client, http2Upstream }) => {
      for (const tally of [http2Client, http2Upstream]) {
        http2Codes.forEach((_, code) => {
          tally.goawaySent(code);
          tally.goawayReceived(code);
          tally.resetSent(code);
          tally.resetReceived(code);
        });
        for (const limit of http2Limits) tally.limitReached(limit);
      }
    });
    expect(series).toHaveLength(2 * (4 * http2Codes.length + http2Limits.length));
    for (const line of series) expect(line).toMatch(/ 1$/);
  });

  test('families neither overlap nor leave the memory', () => {
    const ranges = Object.entries(cellFamilies)
      .map(([name, family]) => [familyStarts[name as keyof typeof familyStarts], seriesOf(family).length])
      .toSorted(([a = 0], [b = 0]) => a - b);
    const last = ranges.at(-1) as number[];
    for (const [place, [start = 0]] of ranges.slice(1).entries()) {
      const [before = 0, size = 0] = ranges[place] as number[];
      expect(start).toBe(before + size);
    }
    expect(((last[0] as number) + (last[1] as number)) * Float64Array.BYTES_PER_ELEMENT).toBe(counterBytes);
  });
});
