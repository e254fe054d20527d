import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { describeWithH2spec } from '../support/cluster/describe-with-cluster.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';
import { Sallyport, ingress, services, smallFlags } from '../support/sallyport-process.ts';
import { SmallServer } from './small-server.ts';

// The conformance suite for servers (RFC 9113's predecessor and RFC 7541), in strict mode: on the codec alone, and on
// `sallyport run` with its workers and an upstream of HTTP/1.1, over TLS and by prior knowledge.

const ALL_CASES = 146;
const everyCase = `${ALL_CASES} tests, ${ALL_CASES} passed, 0 skipped, 0 failed`;

/** Failed cases, and the summary. */
async function examine(h2spec: string, port: number, ...more: readonly string[]): Promise<readonly string[]> {
  const options = ['--strict', '--host', '127.0.0.1', '--port', String(port), '--timeout', '5', ...more];
  const { stdout } = await promisify(execFile)(h2spec, options).catch(
    // Its exit code is 1 when a case fails.
    (error: Error & { readonly stdout?: string }) => ({ stdout: error.stdout ?? error.message }),
  );
  const lines = stdout.trimEnd().split('\n');
  return [...lines.filter((line) => line.includes('×')), lines.at(-1) as string];
}

describeWithH2spec('h2spec', (h2spec) => {
  describe('the codec', () => {
    let server: SmallServer;
    beforeAll(async () => {
      server = await SmallServer.start();
    });
    afterAll(() => server.stop());

    test('every case passes', async () => {
      expect(await examine(h2spec, server.port)).toEqual([everyCase]);
    }, 60_000);
  });

  describe('sallyport run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-h2spec-'));
    let upstream: RawUpstream;
    let sallyport: Sallyport;
    let port = 0;
    let tlsPort = 0;

    beforeAll(async () => {
      upstream = await RawUpstream.start(() => answer('A small body.\n'));
      const anyHost = ingress('any').replace(/host: any\s+/, '');
      writeFileSync(join(folder, 'all.yaml'), `${services(upstream.port)}---${anyHost}`);
      sallyport = new Sallyport(['run', '--manifests', folder, ...smallFlags, '--enable-h2c']);
      port = await sallyport.live();
      tlsPort = Number((await sallyport.logged(({ msg }) => msg === 'started'))['httpsPort']);
    }, 60_000);

    afterAll(async () => {
      sallyport.child.kill('SIGKILL');
      await sallyport.exited;
      await upstream.stop();
      rmSync(folder, { recursive: true });
    });

    test('every case passes over h2c', async () => {
      expect(await examine(h2spec, port)).toEqual([everyCase]);
    }, 60_000);

    test('every case passes over TLS', async () => {
      expect(await examine(h2spec, tlsPort, '-t', '-k')).toEqual([everyCase]);
    }, 60_000);
  });
});
