import { describe, expect, test } from '@jest/globals';

import type { Retry } from '../table/route-table.ts';
import { mayRetry } from './retry-policy.ts';
import type { FailedTry } from './retry-policy.ts';

const policy: Retry = {
  tries: 3,
  onError: true,
  onTimeout: true,
  onStatus: [],
  nonIdempotent: false,
  timeoutMs: 0,
};
const failed: FailedTry = {
  method: 'GET',
  code: 'SP_UPSTREAM_RESET',
  sent: true,
  stale: false,
  bodyBytesSent: 0,
  replayable: true,
  tries: 1,
  elapsedMs: 5,
};

const unsent = { method: 'POST', sent: false } as const;

describe('mayRetry', () => {
  test.each<[string, Partial<FailedTry>, Partial<Retry>, boolean]>([
    ['a GET whose connection was reset', {}, {}, true],
    ['the last try', { tries: 3 }, {}, false],
    ['a POST that was not sent yet', { method: 'POST', sent: false, code: 'SP_UPSTREAM_CONNECT' }, {}, true],
    ['a POST once sent', { method: 'POST' }, {}, false],
    ['a PATCH once sent', { method: 'PATCH' }, {}, false],
    ['a POST once sent, where the user says so', { method: 'POST' }, { nonIdempotent: true }, true],
    ['a POST without body bytes on a stale connection', { method: 'POST', stale: true }, {}, true],
    [
      'a POST with body bytes on a stale connection',
      { method: 'POST', stale: true, bodyBytesSent: 1 },
      {},
      false,
    ],
    ['a GET on a stale connection although tries is 1', { stale: true }, { tries: 1 }, true],
    ['a body that is gone', { replayable: false }, {}, false],
    ['a timeout', { code: 'SP_UPSTREAM_TIMEOUT' }, {}, true],
    ['a timeout, switched off', { code: 'SP_UPSTREAM_TIMEOUT' }, { onTimeout: false }, false],
    [
      'a connect timeout of a POST',
      { method: 'POST', sent: false, code: 'SP_UPSTREAM_CONNECT_TIMEOUT' },
      {},
      true,
    ],
    ['an error, switched off', {}, { onError: false }, false],
    ['a POST to an endpoint that is not whom it should be', { ...unsent, code: 'SP_UPSTREAM_TLS' }, {}, true],
    ['a POST that the endpoint says it has not processed', { ...unsent, bodyBytesSent: 5 }, {}, true],
    ['a POST that was not processed, and whose body is gone', { ...unsent, replayable: false }, {}, false],
    ['a malformed response', { code: 'SP_UPSTREAM_PROTOCOL' }, {}, false],
    ['a status, asked for', { code: undefined }, {}, true],
    ['a status for a POST', { method: 'POST', code: undefined }, {}, false],
    ['time for all tries used up', { elapsedMs: 100 }, { timeoutMs: 100 }, false],
  ])('%s', (_, change, rule, expected) => {
    expect(mayRetry({ ...policy, ...rule }, { ...failed, ...change })).toBe(expected);
  });
});
