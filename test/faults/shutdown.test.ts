import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { afterEach, describe, expect, test } from '@jest/globals';
import { Load } from '../support/load.ts';
import { ProcessRig } from '../support/process-rig.ts';
import { RawClient } from '../support/raw-client.ts';

/** A close frame of a server, unmasked, with the code 1001. */
const goingAway = '\x88\x02\x03\xe9';
const keepAliveGet = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
const upgrade =
  'GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** With the accept value that belongs to that key (RFC 6455 §1.3). */
const switched =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

let rig: ProcessRig | undefined;

afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

async function start(...flags: string[]): Promise<ProcessRig> {
  const serve: RequestListener = ({ url }, response) => {
    if (url === '/slow') response.write('first ');
    else response.end('served');
  };
  rig = await ProcessRig.start(serve, ['--access-log=false', ...flags]);
  rig.upstream.on('upgrade', (_, socket: Duplex) => {
    socket.on('error', () => undefined);
    socket.write(switched);
  });
  return rig;
}

async function openWebSocket(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.send(upgrade);
  await client.until(
    (received) => received.includes('101 Switching Protocols') && received.endsWith('\r\n\r\n'),
  );
  return client;
}

/** Resolves with the upstream's side of a request to /slow, and the client's. */
async function beginSlowRequest({ port, upstream }: ProcessRig) {
  const reached = once(upstream, 'request') as Promise<[unknown, ServerResponse]>;
  const client = await RawClient.connect(port);
  client.send('GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const [, response] = await reached;
  await client.until((received) => received.includes('first '));
  return { client, response };
}

describe('SIGTERM', () => {
  test('loses nothing of what runs, tells everybody to go, and ends with exit code 0', async () => {
    const started = await start('--drain-delay', '1s', '--grace-period', '20s');
    const { port, sallyport } = started;
    const slow = await beginSlowRequest(started);
    const webSockets = await Promise.all(Array.from({ length: 20 }, () => openWebSocket(port)));
    const load = await Load.start(port, 8);
    expect(await started.admin('/readyz')).toMatchObject({ status: 200 });

    sallyport.child.kill('SIGTERM');
    await sallyport.logged(({ msg }) => msg === 'shutting down');
    expect(await started.admin('/readyz')).toMatchObject({ status: 503 });
    const late = await RawClient.connect(port);
    late.send(keepAliveGet);
    const welcome = await late.response();
    expect([welcome.status, welcome.headers.get('connection')]).toEqual([200, undefined]);

    const reports = await load.ended();
    expect(reports).toEqual(
      reports.map(({ answers }) => ({ answers, refused: [], lost: undefined, closed: true })),
    );
    const farewells = await Promise.all(webSockets.map((client) => client.untilEnd()));
    expect(farewells.map((received) => received.slice(received.indexOf('\r\n\r\n') + 4))).toEqual(
      webSockets.map(() => goingAway),
    );
    for (const client of webSockets) client.close();
    await late.untilEnd();
    late.close();

    slow.response.end('last');
    expect(await slow.client.response()).toMatchObject({ status: 200, body: 'first last' });
    slow.client.close();
    expect(await sallyport.exited).toBe(0);
    expect(sallyport.stderr).toBe('');
    expect(sallyport.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  }, 20_000);

  test('ends what does not end by itself at the grace period, says so, and exits with 0', async () => {
    const started = await start('--grace-period', '1s');
    const { client } = await beginSlowRequest(started);
    started.sallyport.child.kill('SIGTERM');
    await started.sallyport.logged(({ msg }) => msg === 'ending what still runs');
    expect(await client.untilEnd()).not.toContain('\r\n0\r\n');
    expect(await started.sallyport.exited).toBe(0);
    client.close();
  });

  test('a second one stops at once', async () => {
    const started = await start('--drain-delay', '600s', '--grace-period', '600s');
    const { client } = await beginSlowRequest(started);
    started.sallyport.child.kill('SIGTERM');
    await started.sallyport.logged(({ msg }) => msg === 'shutting down');
    started.sallyport.child.kill('SIGTERM');
    expect(await started.sallyport.exited).toBe(0);
    await client.untilEnd();
    client.close();
  });
});
