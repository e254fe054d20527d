import { describe, expect, test } from '@jest/globals';
import { parseGrpcTimeout } from './grpc-timeout.ts';

describe('grpc-timeout', () => {
  test.each([
    ['2H', 7_200_000],
    ['3M', 180_000],
    ['99999999S', 99_999_999_000],
    ['250m', 250],
    ['1500u', 2],
    ['1n', 1],
    ['00000001S', 1_000],
    ['0S', 1],
  ])('%s is %d ms', (value, ms) => {
    expect(parseGrpcTimeout(value)).toBe(ms);
  });

  test.each([
    '',
    '1',
    'S',
    '123456789S',
    '1s',
    '1 S',
    ' 1S',
    '1S ',
    '-1S',
    '+1S',
    '1.5S',
    '1S1S',
    '1ms',
    '１S',
  ])('%j is refused', (value) => {
    expect(parseGrpcTimeout(value)).toBeUndefined();
  });
});
