import { afterEach, describe, expect, test } from '@jest/globals';

import { startFakeApiServer } from '../../test/support/fake-api-server/fake-api-server.ts';
import type { FakeApiServer } from '../../test/support/fake-api-server/fake-api-server.ts';
import { startRelay } from '../../test/support/relay.ts';
import { createTransport } from './api-transport.ts';
import type { ClusterAccess, Credentials } from './cluster-access.ts';
import { accessWith } from './credential-source.ts';
import type { ApiStream, Transport } from './transport.ts';

const services = '/api/v1/services';
const watching = new Map([
  ['watch', 'true'],
  ['resourceVersion', '100'],
]);

let api: FakeApiServer;
let transport: Transport;

async function start(
  options: { tls?: boolean; maxStreams?: number; concurrentReads?: number } = {},
): Promise<void> {
  api = await startFakeApiServer(options);
  const { concurrentReads } = options;
  transport = createTransport(api.access(), concurrentReads === undefined ? {} : { concurrentReads });
}

afterEach(async () => {
  await transport.close();
  await api.close();
});

function openWatch(signal?: AbortSignal): Promise<ApiStream> {
  return transport.stream({
    method: 'GET',
    path: services,
    query: watching,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function firstText({ body }: ApiStream): Promise<string> {
  for await (const chunk of body) return Buffer.from(chunk).toString('utf8');
  return '';
}

describe.each([
  ['HTTP/2 with TLS', true],
  ['HTTP/1.1 in clear text', false],
])('over %s', (_protocol, tls) => {
  test('answers carry status, JSON or text, and what to wait', async () => {
    await start({ tls });
    const made = await transport.request({
      method: 'POST',
      path: '/api/v1/namespaces/web/services',
      body: { metadata: { name: 'a' } },
    });
    expect(made).toMatchObject({ status: 201, body: { metadata: { name: 'a', namespace: 'web' } } });
    expect(await transport.request({ method: 'GET', path: '/version' })).toMatchObject({
      status: 404,
      body: '404 page not found',
    });
    api.fault({}, { answer: { status: 429, headers: { 'retry-after': '3' } } });
    expect(await transport.request({ method: 'GET', path: services })).toEqual({
      status: 429,
      body: undefined,
      retryAfterMs: 3000,
    });
  });

  test('a body says what it is, and a query is escaped', async () => {
    await start({ tls });
    await transport.request({
      method: 'PATCH',
      path: '/apis/networking.k8s.io/v1/namespaces/web/ingresses/a/status',
      query: new Map([
        ['fieldManager', 'a&b'],
        ['force', 'true'],
      ]),
      body: { status: {} },
      contentType: 'application/apply-patch+yaml',
    });
    const [request] = api.requests;
    expect(request?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(request?.headers.authorization).toBe('Bearer good');
    expect(request?.query.get('fieldManager')).toBe('a&b');
    expect(request?.body).toEqual({ status: {} });
  });

  test('a stream is handed over as it comes, and ends with its other end', async () => {
    await start({ tls });
    const stream = await openWatch();
    const watch = await api.watch('services');
    watch.send('one');
    expect(await firstText(stream)).toBe('one');
    await watch.closed;
    const again = await openWatch();
    const second = await api.watch('services');
    second.cut();
    await expect(firstText(again)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  test('a signal ends a call before its head, and a stream after', async () => {
    await start({ tls });
    const controller = new AbortController();
    const stream = await openWatch(controller.signal);
    const watch = await api.watch('services');
    const read = firstText(stream);
    const held = Promise.withResolvers<void>();
    api.fault({ verb: 'list' }, { after: held.promise });
    const list = transport.request({ method: 'GET', path: services, signal: controller.signal });
    controller.abort();
    await expect(read).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(list).rejects.toMatchObject({ code: 'ABORTED' });
    await watch.closed;
    held.resolve();
    await expect(openWatch(controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('an answer that does not come is given up', async () => {
    await start({ tls });
    const held = Promise.withResolvers<void>();
    api.fault({}, { after: held.promise });
    const call = transport.request({ method: 'GET', path: services, timeoutMs: 20 });
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(call).rejects.toThrow(
      /^GET \/api\/v1\/services at https?:.*: no answer, want one in 20 ms$/,
    );
    held.resolve();
  });

  test('nobody there', async () => {
    await start({ tls });
    await api.vanish();
    const call = transport.request({ method: 'GET', path: services });
    await expect(call).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(call).rejects.toThrow(/ECONNREFUSED/);
  });

  test('close ends what runs and every connection', async () => {
    await start({ tls });
    const stream = await openWatch();
    const watch = await api.watch('services');
    const read = firstText(stream);
    await transport.close();
    await expect(read).rejects.toMatchObject({ code: 'ABORTED' });
    await watch.closed;
    await expect(transport.request({ method: 'GET', path: services })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('connections', () => {
  test('are few with HTTP/2, each with as many streams as it may have', async () => {
    await start({ tls: true, maxStreams: 10 });
    await Promise.all(Array.from({ length: 35 }, () => openWatch()));
    expect(api.watches.size).toBe(35);
    expect(api.connections).toBe(4);
  });

  test('that are told to go away serve what runs on them; the rest goes elsewhere', async () => {
    await start({ tls: true });
    const old = await openWatch();
    const first = await api.watch('services');
    for (const session of api.sessions) session.goaway(0, 1);
    const next = await openWatch();
    const second = await api.watch('services');
    expect(api.connections).toBe(2);
    first.send('old');
    second.send('new');
    expect(await Promise.all([firstText(old), firstText(next)])).toEqual(['old', 'new']);
  });

  test('that break fail what runs on them; the next call has a new one', async () => {
    await start({ tls: true });
    const reads = (await Promise.all([openWatch(), openWatch()])).map(firstText);
    api.breakConnections();
    const outcomes = await Promise.allSettled(reads);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await transport.request({ method: 'GET', path: services })).status).toBe(200);
  });

  test('whose other end falls silent without a word are found by PING and broken', async () => {
    api = await startFakeApiServer({ tls: true });
    const relay = await startRelay(Number(api.url.port));
    const access = { ...api.access(), server: new URL(`https://127.0.0.1:${relay.port}`) };
    transport = createTransport(access, { pings: { intervalMs: 10, overdueMs: 200, checkMs: 20 } });
    const stream = await openWatch();
    const read = firstText(stream);
    relay.freeze();
    await expect(read).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(read).rejects.toThrow(/does not answer a ping/);
    await relay.close();
  });

  test('that are quiet and alive are left alone', async () => {
    api = await startFakeApiServer({ tls: true });
    transport = createTransport(api.access(), { pings: { intervalMs: 5, overdueMs: 100, checkMs: 10 } });
    const stream = await openWatch();
    const watch = await api.watch('services');
    const [session] = api.sessions;
    // Far more checks than it takes to give up.
    await new Promise<void>((resolve) => {
      let pings = 0;
      session?.on('ping', () => {
        pings += 1;
        if (pings === 60) resolve();
      });
    });
    watch.send('here');
    expect(await firstText(stream)).toBe('here');
  });

  test('are refused with a certificate of another name', async () => {
    api = await startFakeApiServer({ tls: true });
    transport = createTransport(api.access({ serverName: 'b.example' }));
    const call = transport.request({ method: 'GET', path: services });
    await expect(call).rejects.toThrow(/does not match certificate's altnames/);
  });
});

describe('turns', () => {
  test('reads wait for each other, writes do not, and one that is given up leaves its place', async () => {
    await start({ concurrentReads: 1 });
    const held = Promise.withResolvers<void>();
    api.fault({ verb: 'list', times: 1 }, { after: held.promise });
    const first = transport.request({ method: 'GET', path: services });
    await api.received('list', 'services');
    const controller = new AbortController();
    const second = transport.request({ method: 'GET', path: services, signal: controller.signal });
    const third = transport.request({ method: 'GET', path: services });
    const written = await transport.request({ method: 'DELETE', path: '/api/v1/namespaces/a/services/b' });
    expect(written.status).toBe(404);
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    expect(api.requestsOf('list', 'services')).toHaveLength(1);
    held.resolve();
    expect((await first).status).toBe(200);
    expect((await third).status).toBe(200);
  });

  test('a watch holds its turn until it is answered', async () => {
    await start({ concurrentReads: 1 });
    await openWatch();
    expect((await transport.request({ method: 'GET', path: services })).status).toBe(200);
  });
});

describe('credentials', () => {
  let token = 'old';
  let ca = 'first';
  let looks: boolean[] = [];

  function changing(server: FakeApiServer): ClusterAccess {
    const load = async (again: boolean): Promise<Credentials> => {
      looks.push(again);
      if (again) token = 'new';
      const { connection } = await server.access().credentials();
      const pem = `${connection.ca ?? ''}\n# ${ca}\n`;
      return { headers: [['authorization', `Bearer ${token}`]], connection: { ...connection, ca: pem } };
    };
    return accessWith({ server: server.url, namespace: undefined, origin: 'test', load, now: () => 0 });
  }

  async function startChanging(): Promise<void> {
    [token, ca, looks] = ['old', 'first', []];
    api = await startFakeApiServer({ tls: true });
    transport = createTransport(changing(api));
  }

  test('that are refused are looked for again, once for all calls', async () => {
    await startChanging();
    api.tokens.add('new');
    const calls = Array.from({ length: 5 }, () => transport.request({ method: 'GET', path: services }));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(looks.filter((again) => again)).toHaveLength(1);
  });

  test('that stay refused are answered with 401, and not looked for at every call', async () => {
    await startChanging();
    api.tokens.add('other');
    expect((await transport.request({ method: 'GET', path: services })).status).toBe(401);
    expect((await transport.request({ method: 'GET', path: services })).status).toBe(401);
    expect(looks.filter((again) => again)).toHaveLength(1);
  });

  test('a new certificate authority means new connections; what runs stays on the old one', async () => {
    await startChanging();
    const stream = await openWatch();
    const watch = await api.watch('services');
    await transport.request({ method: 'GET', path: services });
    expect(api.connections).toBe(1);
    ca = 'second';
    await transport.request({ method: 'GET', path: services });
    expect(api.connections).toBe(2);
    watch.send('still here');
    expect(await firstText(stream)).toBe('still here');
  });

  test('that cannot be had fail the call', async () => {
    api = await startFakeApiServer();
    const load = (): Promise<Credentials> => Promise.reject(new Error('no plugin'));
    transport = createTransport(accessWith({ server: api.url, namespace: undefined, origin: 'test', load }));
    await expect(transport.request({ method: 'GET', path: services })).rejects.toThrow(/no plugin/);
  });
});
