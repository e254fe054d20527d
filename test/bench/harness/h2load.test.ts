import { describe, expect, test } from '@jest/globals';

import { parseH2load } from './h2load.ts';

const report = (failed: number, dataBytes: number): string => `finished in 2.00s, 2.00 req/s, 13.38KB/s
requests: 4 total, 6 started, 4 done, ${4 - failed} succeeded, ${failed} failed, 0 errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 13.38KB (13698) total, 9.38KB (9600) headers (space savings 51.02%), ${dataBytes}B (${dataBytes}) data
`;

const line = (status: number, micros: number): string => `1795281834400561\t${status}\t${micros}\n`;
const log = line(200, 1000) + line(200, 3000) + line(200, 2000) + line(200, 4000);
const expected = { seconds: 2, answerBytes: 100 };

describe('reading a report of h2load', () => {
  test('takes counts from the log, and percentiles', () => {
    expect(parseH2load(report(0, 400), log, expected)).toEqual({
      requests: 4,
      requestsPerSecond: 2,
      p50Ms: 2,
      p99Ms: 3,
      errors: 0,
    });
  });

  test('counts other answers and lost streams once', () => {
    expect(parseH2load(report(2, 400), log + line(502, 1) + line(-1, 1), expected).errors).toBe(2);
  });

  test('counts answers that miss bytes', () => {
    expect(parseH2load(report(0, 250), log, expected).errors).toBe(2);
  });

  test('refuses what is no report', () => {
    expect(() => parseH2load('could not connect', '', expected)).toThrow('no report');
  });
});
