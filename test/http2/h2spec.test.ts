import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { describeWithH2spec } from '../support/cluster/describe-with-cluster.ts';
import { SmallServer } from './small-server.ts';

// The conformance suite for servers (RFC 9113's predecessor and RFC 7541), in strict mode, over plain TCP.

const ALL_CASES = 146;

describeWithH2spec('h2spec', (h2spec) => {
  let server: SmallServer;
  beforeAll(async () => {
    server = await SmallServer.start();
  });
  afterAll(() => server.stop());

  test('every case passes', async () => {
    const options = ['--strict', '--host', '127.0.0.1', '--port', String(server.port), '--timeout', '5'];
    const { stdout } = await promisify(execFile)(h2spec, options).catch(
      // Its exit code is 1 when a case fails.
      (error: Error & { readonly stdout?: string }) => ({ stdout: error.stdout ?? error.message }),
    );
    expect(stdout.split('\n').filter((line) => line.includes('×'))).toEqual([]);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      `${ALL_CASES} tests, ${ALL_CASES} passed, 0 skipped, 0 failed`,
    );
  }, 60_000);
});
