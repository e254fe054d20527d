import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ingress, Sallyport, services, smallFlags } from '../support/sallyport-process.ts';

let folder: string;
let upstream: Server;
let upstreamPort: number;
let running: Sallyport | undefined;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    if (request.url?.startsWith('/slow') === true) response.write('first ');
    else response.end('served');
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  upstreamPort = (upstream.address() as AddressInfo).port;
});

afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-run-'));
  await writeFile(join(folder, 'services.yaml'), services(upstreamPort));
  await writeFile(join(folder, 'ingress.yaml'), ingress('a.example'));
});

afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.exited;
  running = undefined;
  await rm(folder, { recursive: true });
});

function run(...more: string[]): Sallyport {
  running = new Sallyport(['run', '--manifests', folder, ...smallFlags, '--drain-delay', '0', ...more]);
  return running;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function fetchFrom(port: number, host: string, path = '/', agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, headers: { host }, agent: agent ?? false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

describe('sallyport run', () => {
  test('serves a folder, takes an edit without losing a connection, and ends well on SIGTERM', async () => {
    const sallyport = run();
    const port = await sallyport.live();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await fetchFrom(port, 'a.example', '/', agent)).toEqual({ status: 200, body: 'served' });
    expect((await fetchFrom(port, 'b.example', '/', agent)).status).toBe(404);

    await writeFile(join(folder, 'ingress.yaml'), ingress('b.example'));
    await sallyport.logged(({ msg, generation }) => msg === 'table live' && generation === 2);
    expect((await fetchFrom(port, 'b.example', '/', agent)).status).toBe(200);
    expect((await fetchFrom(port, 'a.example', '/', agent)).status).toBe(404);
    const opened = Object.values(agent.freeSockets).flat();
    expect(opened).toHaveLength(1);

    sallyport.child.kill('SIGTERM');
    expect(await sallyport.exited).toBe(0);
    expect(sallyport.stderr).toBe('');
    agent.destroy();
    const accessed = sallyport.lines.filter((line) => line['request_id'] !== undefined);
    expect(accessed.map(({ host, status }) => [host, status])).toEqual(
      expect.arrayContaining([
        ['a.example', 200],
        ['b.example', 404],
        ['b.example', 200],
        ['a.example', 404],
      ]),
    );
    expect(accessed).toHaveLength(4);
  });

  test('no request is lost and no connection is closed while the folder changes', async () => {
    const sallyport = run('--keep-alive-requests', '1000000');
    const port = await sallyport.live();
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const statuses = new Map<number, number>();
    let opened = 0;
    let done = false;
    const load = agents.map(async (agent) => {
      agent.on('free', (socket: { marked?: boolean }) => {
        if (socket.marked !== true) opened++;
        socket.marked = true;
      });
      while (!done) {
        // oxlint-disable-next-line no-await-in-loop -- one request after the other on one connection
        const { status } = await fetchFrom(port, 'a.example', '/', agent);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    for (let generation = 2; generation <= 12; generation++) {
      // oxlint-disable-next-line no-await-in-loop -- each edit is live before the next
      await writeFile(join(folder, 'more.yaml'), ingress(`b${generation}.example`).replace('shop,', 'more,'));
      // oxlint-disable-next-line no-await-in-loop -- as above
      await sallyport.logged((line) => line['msg'] === 'table live' && line['generation'] === generation);
    }
    done = true;
    await Promise.all(load);
    for (const agent of agents) agent.destroy();
    expect([...statuses.keys()]).toEqual([200]);
    expect(opened).toBe(agents.length);
  });

  test('a broken edit leaves what is served, and is reported with file and line', async () => {
    const sallyport = run();
    const port = await sallyport.live();
    await writeFile(join(folder, 'ingress.yaml'), `${ingress('b.example')}\n  broken: [`);
    expect(await sallyport.logged(({ msg }) => msg === 'finding')).toMatchObject({
      level: 'error',
      code: 'SP1001',
      file: 'ingress.yaml',
    });
    expect((await fetchFrom(port, 'a.example')).status).toBe(200);
  });

  test('is ready, measured and explained on the admin port', async () => {
    const sallyport = run();
    await sallyport.live();
    const port = Number((await sallyport.logged(({ msg }) => msg === 'started'))['adminPort']);
    expect(await fetchFrom(port, '127.0.0.1', '/readyz')).toMatchObject({ status: 200 });
    expect((await fetchFrom(port, '127.0.0.1', '/metrics')).body).toMatch(
      /sallyport_table_generation\{worker="1"\} 1\n/,
    );
    const asked = encodeURIComponent('http://a.example/x');
    const { body } = await fetchFrom(port, '127.0.0.1', `/debug/explain?url=${asked}`);
    expect(JSON.parse(body)).toMatchObject({ route: { id: 'Ingress/team/shop/0.0' } });
  });

  test('finishes what runs before it ends', async () => {
    const sallyport = run();
    const port = await sallyport.live();
    const reached = once(upstream, 'request') as Promise<[unknown, { end(text: string): void }]>;
    const answer = fetchFrom(port, 'a.example', '/slow');
    const [, response] = await reached;
    sallyport.child.kill('SIGTERM');
    await sallyport.logged(({ msg }) => msg === 'shutting down');
    response.end('last');
    expect(await answer).toEqual({ status: 200, body: 'first last' });
    expect(await sallyport.exited).toBe(0);
  });

  test('a reader of its log that stops reading stops neither traffic nor the end', async () => {
    const sallyport = run();
    const port = await sallyport.live();
    sallyport.child.stdout?.pause();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const statuses = new Set<number>();
    // About 800 KB of access log: more than a pipe and its reader hold.
    for (let i = 0; i < 2000; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other on one connection
      statuses.add((await fetchFrom(port, 'a.example', '/', agent)).status);
    }
    expect([...statuses]).toEqual([200]);
    agent.destroy();
    const exit = once(sallyport.child, 'exit');
    sallyport.child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    sallyport.child.stdout?.resume();
  });

  test('a second signal ends it at once', async () => {
    const sallyport = run();
    const port = await sallyport.live();
    const reached = once(upstream, 'request');
    const failure = fetchFrom(port, 'a.example', '/slow').then(
      () => 'answered',
      (error: NodeJS.ErrnoException) => error.code,
    );
    await reached;
    sallyport.child.kill('SIGTERM');
    await sallyport.logged(({ msg }) => msg === 'shutting down');
    sallyport.child.kill('SIGINT');
    expect(await sallyport.exited).toBe(0);
    expect(await failure).toBe('ECONNRESET');
  });
});

describe('a start that fails', () => {
  test.each([
    ['no source', ['run'], 2, /give a folder with --manifests/],
    ['a bad value', ['run', '--http-port', 'x'], 2, /Read --http-port: "x" is not a whole number/],
    ['an unknown flag', ['run', '--no-such-flag'], 2, /unknown option '--no-such-flag'/],
    [
      'a missing folder',
      ['run', '--manifests', '/nonexistent/x', '--http-port', '0', '--https-port', '0', '--admin-port', '0'],
      1,
      /there is no such folder/,
    ],
  ])('%s', async (_, args, code, message) => {
    running = new Sallyport(args);
    expect(await running.exited).toBe(code);
    expect(running.stderr).toMatch(message);
  });

  test.each(['--http-port', '--https-port', '--admin-port'])('a taken %s', async (flag) => {
    const squatter = createTcpServer();
    squatter.listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const sallyport = run('--admin-address', '127.0.0.1', flag, String(port));
    expect(await sallyport.exited).toBe(1);
    expect(sallyport.stderr).toContain(`port ${port} is taken by another process`);
    squatter.close();
  });
});
