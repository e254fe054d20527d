import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { tlsPairs } from '../../test/support/tls-pairs.ts';
import { diagnose } from '../diagnostics/diagnostic.ts';
import type { RouteTable } from '../table/route-table.ts';
import { AdminServer } from './admin-server.ts';
import type { AdminState, ExplainRequest } from './admin-state.ts';

const table: RouteTable = {
  generation: 3,
  digest: '0011223344556677',
  routes: new Map(),
  hosts: new Map([['a.example', { id: 'a.example', digest: 'aa', certificate: 'team-a/tls' }]]),
  upstreams: new Map(),
  endpoints: new Map(),
  certificates: new Map([['team-a/tls', { id: 'team-a/tls', digest: 'dd', ...tlsPairs.a }]]),
  authorities: new Map(),
};

class FakeState implements AdminState {
  state = { ready: false, reason: 'waiting for the first table' };
  asked: ExplainRequest | undefined;
  pieces = ['sallyport_a 1\n', 'sallyport_b 2\n'];

  ready(): { ready: boolean; reason: string } {
    return this.state;
  }

  table(): RouteTable {
    return table;
  }

  workers(): ReturnType<AdminState['workers']> {
    return [{ worker: 0, listening: true, generation: 3, restarts: 1, connections: 2 }];
  }

  diagnostics(): ReturnType<AdminState['diagnostics']> {
    return [
      diagnose('SP1003', { kind: 'Pod', namespace: 'a', name: 'b' }, '', 'Read Pod a/b: kind is not read'),
    ];
  }

  explain(request: ExplainRequest): ReturnType<AdminState['explain']> {
    if (request.method === 'BREAK') throw new Error('secret inside');
    this.asked = request;
    const origin = { kind: 'Pod', namespace: 'a', name: 'b', field: 'spec.rules[0]', service: '' };
    return { route: { origin } };
  }

  metrics(): { contentType: string; text: AsyncIterable<string> } {
    const { pieces } = this;
    return {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      text: (async function* () {
        for (const piece of pieces) yield piece;
      })(),
    };
  }
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('admin server', () => {
  let state = new FakeState();
  let failures: unknown[] = [];
  let server = new AdminServer(state, { port: 0 });
  let port = 0;

  beforeEach(async () => {
    state = new FakeState();
    failures = [];
    server = new AdminServer(state, { port: 0, failed: (_, error) => failures.push(error) });
    port = await server.start();
  });

  afterEach(async () => {
    await server.stop();
  });

  function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        { host: '127.0.0.1', port, path, method, headers, agent: false },
        (response) => {
          const zipped = response.headers['content-encoding'] === 'gzip';
          text(zipped ? response.pipe(createGunzip()) : response).then(
            (body) => resolve({ status: response.statusCode, headers: response.headers, body }),
            reject,
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  test('/healthz is alive whatever else', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test('/readyz tells why not', async () => {
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: 'waiting for the first table\n' });
    state.state = { ready: true, reason: '' };
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test('/metrics streams the exposition, zipped when asked', async () => {
    const plain = await ask('/metrics');
    expect(plain).toMatchObject({ status: 200, body: 'sallyport_a 1\nsallyport_b 2\n' });
    expect(plain.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const zipped = await ask('/metrics', { 'Accept-Encoding': 'br, gzip;q=0.5' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(zipped.body).toBe(plain.body);
    expect(
      (await ask('/metrics', { 'Accept-Encoding': 'gzip;q=0, br' })).headers['content-encoding'],
    ).toBeUndefined();
  });

  test('/debug/table shows the table without certificates', async () => {
    const { status, body } = await ask('/debug/table');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      generation: 3,
      certificates: [{ id: 'team-a/tls', digest: 'dd' }],
      authorities: [],
    });
    expect(body).not.toMatch(/CERTIFICATE|PRIVATE/);
  });

  test('/debug/certificates shows names and validity, never the key', async () => {
    const { body } = await ask('/debug/certificates?secret=team-a/tls');
    expect(JSON.parse(body)).toEqual({
      generation: 3,
      certificates: [
        {
          secret: 'team-a/tls',
          hosts: ['a.example'],
          subject: 'CN=a.example',
          issuer: 'CN=a.example',
          names: ['DNS:a.example'],
          notAfter: '2126-10-28T12:04:39.000Z',
          digest: 'dd',
        },
      ],
    });
    const other = await ask('/debug/certificates?secret=team-b/tls');
    expect(JSON.parse(other.body)).toEqual({ generation: 3, certificates: [] });
  });

  test('/debug/workers shows which generation each worker serves', async () => {
    expect(JSON.parse((await ask('/debug/workers')).body)).toEqual({
      generation: 3,
      digest: '0011223344556677',
      workers: [{ worker: 0, listening: true, generation: 3, restarts: 1, connections: 2 }],
    });
  });

  test('/debug/diagnostics shows the findings', async () => {
    const { body } = await ask('/debug/diagnostics');
    expect(JSON.parse(body)).toEqual([expect.objectContaining({ code: 'SP1003', severity: 'info' })]);
  });

  test('/debug/explain hands the request on', async () => {
    const query = new URLSearchParams([
      ['url', 'https://a.example/x?y=1'],
      ['method', 'POST'],
      ['header', 'X-A: 1: 2'],
      ['header', 'cookie:c=d'],
    ]);
    const { status, body } = await ask(`/debug/explain?${query.toString()}`);
    expect({ status, body: JSON.parse(body) as unknown }).toEqual({
      status: 200,
      body: {
        route: { origin: expect.objectContaining({ kind: 'Pod', namespace: 'a', name: 'b' }) },
        findings: [expect.objectContaining({ code: 'SP1003' })],
      },
    });
    expect(state.asked?.url).toBe('https://a.example/x?y=1');
    expect(state.asked?.method).toBe('POST');
    expect(state.asked?.headers).toEqual([
      ['X-A', '1: 2'],
      ['cookie', 'c=d'],
    ]);
    expect(state.asked?.clientAddress).toBeUndefined();
  });

  test('/debug/explain takes the address of the client', async () => {
    await ask('/debug/explain?url=http://a.example/&client=2001:db8::1');
    expect(state.asked?.clientAddress).toBe('2001:db8::1');
  });

  test('/debug/routes and /debug/backends list what the table holds', async () => {
    const routes = await ask('/debug/routes');
    expect({ status: routes.status, body: JSON.parse(routes.body) as unknown }).toEqual({
      status: 200,
      body: [],
    });
    expect((await ask('/debug/backends')).status).toBe(200);
    expect((await ask('/debug/backends', { Host: 'evil.example' })).status).toBe(403);
  });

  test.each([
    '',
    '?url=a.example/x',
    '?url=file:///etc/passwd',
    '?url=http://a.example/&header=nocolon',
    '?url=http://a.example/&client=me',
  ])('/debug/explain%s is refused with what is wanted', async (query) => {
    const { status, body } = await ask(`/debug/explain${query}`);
    expect(status).toBe(400);
    expect(body).toMatch(/want (http:\/\/host\/path|name:value|an IPv4)/);
    expect(state.asked).toBeUndefined();
  });

  test('a failing endpoint answers 500 and tells the inside to the log only', async () => {
    const { status, body } = await ask('/debug/explain?url=http://a.example/&method=BREAK');
    expect({ status, body }).toEqual({ status: 500, body: 'Internal error\n' });
    expect(failures).toEqual([new Error('secret inside')]);
  });

  test.each([
    ['Host', 'evil.example'],
    ['Host', 'localhost.evil.example:10254'],
    ['Host', '127.0.0.1.evil.example'],
    ['Host', '10.0.0.1'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['Forwarded', 'for=127.0.0.1'],
  ])('what is for this machine is refused with %s: %s', async (name, value) => {
    const { status, body } = await ask('/debug/table', { [name]: value });
    expect(status).toBe(403);
    expect(body).not.toContain('team-a');
    expect((await ask('/healthz', { [name]: value })).status).toBe(200);
  });

  test.each(['localhost:1234', 'LOCALHOST', '127.0.0.1', '[::1]:10254'])('Host %s is local', async (host) => {
    expect((await ask('/debug/table', { Host: host })).status).toBe(200);
  });

  test('only GET and HEAD', async () => {
    const posted = await ask('/healthz', {}, 'POST');
    expect(posted).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await ask('/healthz', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  test.each(['/', '/debug', '/healthz/', '/debug/table/..', '//metrics'])('%s is not found', async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    for (const known of ['/healthz', '/readyz', '/metrics', '/debug/table', '/debug/explain']) {
      expect(body).toContain(known);
    }
  });

  test('an oversized head is refused', async () => {
    expect((await ask('/healthz', { 'X-Long': 'x'.repeat(20_000) })).status).toBe(431);
  });

  test('a scraper that leaves early costs nothing', async () => {
    state.pieces = Array.from({ length: 2000 }, () => 'x'.repeat(65_536));
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'),
      );
      socket.once('data', () => socket.destroy());
      socket.once('close', () => resolve());
    });
    expect((await ask('/healthz')).status).toBe(200);
    expect(failures).toEqual([]);
  });

  test('a port in use is an error at the start', async () => {
    const second = new AdminServer(state, { port });
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
