import { describe, expect, test } from '@jest/globals';

import { isMet, median, ratio } from './result.ts';
import { parseWrk } from './wrk.ts';

const report = `Running 4s test @ http://127.0.0.1:1/
  1 threads and 32 connections
  Latency Distribution
     50%  950.00us
     75%    1.10ms
     90%    1.31ms
     99%    2.25ms
  80000 requests in 4.00s, 12.00MB read
Requests/sec:  20000.50
Transfer/sec:      3.00MB
`;

describe('reading a wrk report', () => {
  test('takes counts and percentiles', () => {
    expect(parseWrk(report)).toEqual({
      requests: 80000,
      requestsPerSecond: 20000.5,
      p50Ms: 0.95,
      p99Ms: 2.25,
      errors: 0,
    });
  });

  test('adds up errors of every kind', () => {
    const errors = '  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n';
    expect(parseWrk(report + errors).errors).toBe(15);
  });

  test('refuses what is no report', () => {
    expect(() => parseWrk('unable to connect')).toThrow('no report');
  });
});

describe('figures', () => {
  const rows = [
    { name: 'nginx', values: { cpu: 20 } },
    { name: 'sallyport', values: { cpu: 25, p99: null } },
  ];

  test('median, ratio and verdict', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(ratio(rows, 'cpu', 'sallyport', 'nginx')).toBe(1.25);
    expect(ratio(rows, 'cpu', 'sallyport', 'envoy')).toBeNull();
    expect(isMet({ text: '', value: 1.25, limit: 1.25, sense: 'at most' })).toBe(true);
    expect(isMet({ text: '', value: 0.9, limit: 0.97, sense: 'at least' })).toBe(false);
    expect(isMet({ text: '', value: null, limit: 1, sense: 'at most' })).toBe(false);
  });
});
