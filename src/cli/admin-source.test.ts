import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { ingress, services } from '../../test/support/sallyport-process.ts';
import { AdminServer } from '../admin/admin-server.ts';
import type { AdminState } from '../admin/admin-state.ts';
import { defaultCompileOptions } from '../compile/compile-options.ts';
import { createCompiler } from '../compile/compiler.ts';
import { listDiagnostics } from '../compile/diagnostic-index.ts';
import { decodeObject } from '../model/decode-object.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { explain, explainableTable } from '../proxy/explain.ts';
import { adminUrl } from './admin-source.ts';
import { runCommandLine } from './program.ts';

/** What the app shows of two Ingresses, one of which lost to the other. */
function createState(): AdminState {
  const yaml = `${ingress('shop.example')}---${ingress('shop.example').replace('name: shop,', 'name: zzz,')}---${services(8080)}`;
  const objects = loadAll(yaml).flatMap((raw) => decodeObject(raw, { identity: 'content' }).object ?? []);
  const result = createCompiler(defaultCompileOptions).compile(createSnapshot(objects));
  const table = { generation: 7, ...result.table };
  return {
    ready: () => ({ ready: true, reason: '' }),
    table: () => table,
    workers: () => [],
    diagnostics: () => listDiagnostics(result.diagnostics),
    explain: ({ url, method, headers, clientAddress = '127.0.0.1' }) =>
      explain(explainableTable(table), { url, method, headers, clientAddress }),
    inFlight: () => 2,
    metrics: () => ({ contentType: 'text/plain', text: (async function* () {})() }),
  };
}

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCommandLine(args, {
    environment: { HOME: '/nonexistent' },
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

describe('a running process', () => {
  let server = new AdminServer(createState(), { port: 0, address: '127.0.0.1' });
  let address = '';

  beforeEach(async () => {
    server = new AdminServer(createState(), { port: 0, address: '127.0.0.1' });
    address = `127.0.0.1:${await server.start()}`;
  });

  afterEach(() => server.stop());

  test('lists its routes, conflicts among them', async () => {
    const { code, out } = await run('routes', '--admin', address);
    expect(code).toBe(0);
    expect(out).toMatch(/^NAMESPACE +OBJECT +HOST/);
    expect(out).toMatch(/\nteam +ingress\/shop +shop\.example +\/ +prefix +shop:80 +served\n/);
    expect(out).toMatch(/\nteam +ingress\/zzz +shop\.example +\/ +prefix +<none> +conflict\n/);
  });

  test('lists its backends with the requests in flight', async () => {
    const { out } = await run('backends', '--admin', `http://${address}/debug/`, '-o', 'wide');
    expect(out).toMatch(/ENDPOINTS +IN-FLIGHT +ADDRESSES\n/);
    expect(out).toMatch(/ 1 +2 +127\.0\.0\.1:8080\(2\)\n/);
  });

  test('explains a request by its own table, with findings', async () => {
    const args = [
      'explain',
      'shop.example/cart',
      '--admin',
      address,
      '--client',
      '192.0.2.9',
      '-H',
      'x-a: b:c',
    ];
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/\nclient +192\.0\.2\.9\n/);
    expect(out).toMatch(/route +Ingress team\/shop/);
    expect(out).toMatch(/SP3001 +Ingress team\/zzz/);
    const { out: json } = await run(...args, '-o', 'json');
    expect(JSON.parse(json)).toMatchObject({
      request: { headers: [['x-a', 'b:c']] },
      findings: [{ code: 'SP3001' }],
    });
  });

  test('is checked: findings name objects, as there are no files', async () => {
    const { code, out, err } = await run('check', '--admin', address);
    expect(code).toBe(0);
    expect(out).toMatch(/^SEVERITY +CODE +OBJECT +FINDING\nwarning +SP3001 +Ingress team\/zzz/);
    expect(err).toMatch(/^1 route, 1 finding, 0 errors in http:/);
  });

  test('does not know labels', async () => {
    const { code, err } = await run('routes', '--admin', address, '-l', 'a=b');
    expect(code).toBe(2);
    expect(err).toMatch(/a running process does not know labels/);
  });
});

describe('an address that does not answer as it should', () => {
  let server: Server | undefined;

  afterEach(async () => {
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    server = undefined;
  });

  async function listen(answer: RequestListener): Promise<number> {
    const started = createServer(answer);
    server = started;
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return (started.address() as AddressInfo).port;
  }

  test.each<[string, number, string, RegExp]>([
    ['another server', 404, 'not here', /there is no such page; is it the admin port of Sallyport/],
    [
      'a proxy that is seen as foreign',
      403,
      'Forbidden: loopback only',
      /Forbidden: loopback only; reach a pod with: kubectl port-forward/,
    ],
    ['a page', 200, '<html>', /the answer is not JSON; is it the admin port of Sallyport/],
    ['another kind of answer', 200, '{}', /the answer is no list; is it Sallyport of this version\?/],
    ['a failure that plays with the terminal', 500, '\u001b[2Jx\ny', /it answered 500: \?\[2Jx\n$/],
    ['a failure', 500, 'Internal error', /it answered 500: Internal error/],
  ])('%s', async (_, status, body, message) => {
    const port = await listen((__, response) => response.writeHead(status).end(body));
    const { code, err } = await run('routes', '--admin', `localhost:${port}`);
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`^sallyport: Cannot read http://localhost:${port}/debug/routes: `));
    expect(err).toMatch(message);
  });

  test('nobody listens', async () => {
    const port = await listen((_, response) => response.end());
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    const { code, err } = await run('check', '--admin', `127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(err).toMatch(/nothing listens there; reach a pod with: kubectl port-forward/);
  });
});

describe('how an address is read', () => {
  test.each([
    ['localhost:10254', 'http://localhost:10254/debug'],
    ['localhost', 'http://localhost:10254/debug'],
    [':9000', 'http://localhost:9000/debug'],
    ['9000', 'http://localhost:9000/debug'],
    ['[::1]:9000', 'http://[::1]:9000/debug'],
    ['http://localhost:9000', 'http://localhost:9000/debug'],
    ['https://admin.example/', 'https://admin.example/debug'],
    ['http://localhost:8001/prefix/debug/?x#y', 'http://localhost:8001/prefix/debug'],
  ])('%s', (address, url) => {
    expect(adminUrl(address).href).toBe(url);
  });

  test.each(['', 'http://', 'a b', 'localhost:notaport'])('%j is refused', async (address) => {
    const { code, err } = await run('routes', '--admin', address);
    expect({ code, err }).toEqual({
      code: 2,
      err: `sallyport: Read --admin: ${JSON.stringify(address)} is not host:port or a URL\n`,
    });
  });
});
