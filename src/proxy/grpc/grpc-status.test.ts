import { describe, expect, test } from '@jest/globals';
import { errorCodes } from '../../telemetry/error-codes.ts';
import type { ErrorCodeName } from '../../telemetry/error-codes.ts';
import { grpcStatusOfError, grpcStatusOfHttp } from './grpc-status.ts';

describe('a status of HTTP', () => {
  test.each([
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [502, 14],
    [503, 14],
    [504, 14],
    [200, 2],
    [308, 2],
    [500, 2],
  ])('%d is %d', (status, code) => {
    expect(grpcStatusOfHttp(status)).toBe(code);
  });
});

describe('an error', () => {
  test.each<[ErrorCodeName, number, number]>([
    ['SP_REQUEST_TIMEOUT', 14, 4],
    ['SP_UPSTREAM_TIMEOUT', 14, 4],
    ['SP_UPSTREAM_CONNECT_TIMEOUT', 14, 4],
    ['SP_UPSTREAM_RESET', 14, 14],
    ['SP_NO_ENDPOINTS', 14, 14],
    ['SP_NO_ROUTE', 12, 12],
    ['SP_BAD_REQUEST', 13, 13],
    ['SP_BODY_TOO_LARGE', 8, 8],
    ['SP_INTERNAL', 13, 13],
  ])('%s is %d, and %d for a client with a deadline', (code, without, withDeadline) => {
    expect(grpcStatusOfError(code, false)).toBe(without);
    expect(grpcStatusOfError(code, true)).toBe(withDeadline);
  });

  test('is never OK', () => {
    const names = Object.keys(errorCodes) as ErrorCodeName[];
    expect(names.filter((code) => grpcStatusOfError(code, false) === 0)).toEqual([]);
  });
});
