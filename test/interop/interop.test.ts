import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { UpstreamTls } from '../../src/table/route-table.ts';
import { describeWithProgram } from '../support/cluster/describe-with-cluster.ts';
import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy, TestRoute } from '../support/data-plane-harness.ts';
import { RawUpstream } from '../support/raw-upstream.ts';

// HTTP/2 with implementations that others wrote, in both roles: curl and h2load (nghttp2) and Go's net/http as clients, Go's
// as endpoints. node:http2 and grpc-js have tests of their own (test/proxy).

const run = promisify(execFile);
const settings = { http2: { ...testSettings.http2, plain: true } };

const ways = [
  ['HTTP/2 over TLS', (proxy: TestProxy) => `https://127.0.0.1:${proxy.tlsPort}`],
  ['HTTP/2 by prior knowledge', (proxy: TestProxy) => `http://127.0.0.1:${proxy.port}`],
] as const;

describe('towards an upstream that answers with what it got', () => {
  let upstream: RawUpstream;
  let proxy: TestProxy;

  beforeAll(async () => {
    upstream = await RawUpstream.start(({ body }) =>
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1'),
    );
    proxy = await startProxy([{ upstream: [upstream.port] }], { settings, tls: {} });
  });

  afterAll(async () => {
    await proxy.stop();
    await upstream.stop();
  });

  describeWithProgram('curl', 'curl', (curl) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-curl-'));
    afterAll(() => rmSync(folder, { recursive: true }));

    function ask(url: string, ...more: readonly string[]): Promise<{ stdout: string }> {
      const version = url.startsWith('https') ? '--http2' : '--http2-prior-knowledge';
      const options = ['--silent', '--show-error', '--insecure', '--max-time', '20', version];
      return run(curl, [...options, '--write-out', ' %{http_version} %{http_code}', ...more, url], {
        maxBuffer: 2 ** 26,
      });
    }

    test.each(ways)('%s: a POST', async (_, url) => {
      const { stdout } = await ask(`${url(proxy)}/x`, '--data', 'hello');
      expect(stdout).toBe('hello 2 200');
    });

    test.each(ways)('%s: 3 MB there and back, with Expect', async (_, url) => {
      const body = Buffer.alloc(3_000_001, 'sallyport ');
      writeFileSync(join(folder, 'body'), body);
      const { stdout } = await ask(
        url(proxy),
        '--data-binary',
        `@${join(folder, 'body')}`,
        '--header',
        'Expect: 100-continue',
        '--output',
        join(folder, 'answer'),
      );
      expect(stdout).toBe(' 2 200');
      const { stdout: sum } = await run('sha256sum', [join(folder, 'answer')]);
      expect(sum.slice(0, 64)).toBe(createHash('sha256').update(body).digest('hex'));
    });

    test.each(ways)('%s: HEAD', async (_, url) => {
      expect((await ask(url(proxy), '--head')).stdout).toMatch(/^HTTP\/2 200 \r\n[^]* 2 200$/);
    });

    test('the upgrade that curl offers over HTTP/1.1 is not taken', async () => {
      const options = ['--silent', '--http2', '--write-out', ' %{http_version} %{http_code}'];
      const { stdout } = await run(curl, [...options, '--data', 'hello', `http://127.0.0.1:${proxy.port}/`]);
      expect(stdout).toBe('hello 1.1 200');
    });
  });

  describeWithProgram('h2load', 'h2load', (h2load) => {
    test.each(ways)('%s: 2000 requests, 32 at a time on 4 connections', async (_, url) => {
      const { stdout } = await run(h2load, ['-n2000', '-c4', '-m32', `${url(proxy)}/`]);
      expect(stdout).toContain('2000 succeeded, 0 failed, 0 errored, 0 timeout');
      expect(stdout).toContain('status codes: 2000 2xx');
    });
  });
});

describeWithProgram('Go’s net/http', 'go', (go) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-go-'));
  const binary = join(folder, 'go-peer');
  let server: ChildProcess;
  let ports: { readonly plain: number; readonly secure: number };

  beforeAll(async () => {
    await run(go, ['build', '-o', binary, join(import.meta.dirname, 'go-peer/main.go')]);
    server = spawn(binary, ['serve'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await once(
      createInterface({ input: server.stdout as NodeJS.ReadableStream }),
      'line',
    )) as [string];
    ports = JSON.parse(line) as typeof ports;
  }, 120_000);

  afterAll(async () => {
    const ended = once(server, 'exit');
    server.stdin?.end();
    await ended;
    rmSync(folder, { recursive: true });
  });

  const tls: UpstreamTls = { verify: false, name: 'peer.example', sendName: true };
  const upstreams: readonly (readonly [string, () => TestRoute, string])[] = [
    ['HTTP/1.1', () => ({ upstream: [ports.plain] }), 'HTTP/1.1'],
    ['HTTP/1.1 over TLS', () => ({ upstream: [ports.secure], policy: { tls } }), 'HTTP/1.1'],
    ['h2c', () => ({ upstream: [ports.plain], policy: { protocol: 'http2' } }), 'HTTP/2.0'],
    ['HTTP/2 over TLS', () => ({ upstream: [ports.secure], policy: { protocol: 'http2', tls } }), 'HTTP/2.0'],
    ['ALPN', () => ({ upstream: [ports.secure], policy: { protocol: 'auto', tls } }), 'HTTP/2.0'],
  ];

  describe.each(ways)('%s', (_, url) => {
    test.each(upstreams)(
      'towards %s',
      async (__, route, upstreamProto) => {
        const proxy = await startProxy([route()], { settings, tls: {} });
        try {
          const { stdout } = await run(binary, ['ask', url(proxy)]);
          expect(JSON.parse(stdout)).toEqual({
            protos: ['HTTP/2.0'],
            upstream: [upstreamProto],
            answers: 205,
            faults: null,
          });
        } finally {
          await proxy.stop();
        }
      },
      40_000,
    );
  });
});
