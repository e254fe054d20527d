import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { afterEach, describe, expect, test } from '@jest/globals';

import { flag, frameType } from '../../src/http2/frames.ts';
import { HpackEncoder } from '../../src/http2/hpack/hpack-encoder.ts';
import type { ErrorCodeName } from '../../src/telemetry/error-codes.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { data, frame, goaway, ping, reset, settings, settingsAck } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { RawClient } from '../support/raw-client.ts';

// Endpoints that speak HTTP/2 as they should not, frame by frame: what the client gets, and what is counted.

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function headers(fields: Fields, flags = 0, stream = 1): Buffer {
  const encoder = new HpackEncoder();
  encoder.begin();
  for (const [name, value] of fields) encoder.field(name, value);
  return frame(frameType.headers, flag.endHeaders | flags, stream, Buffer.from(encoder.end()));
}

const ok: Fields = [[':status', '200']];

/** An endpoint that says hello, and answers the first request with these bytes; `then` ends the connection behind them. */
async function answering(bytes: Buffer, then: 'stay' | 'end' | 'reset' = 'stay'): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([settings(), settingsAck()]));
    let heard = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      const had = hasRequest(heard);
      heard = Buffer.concat([heard, chunk]);
      if (had || !hasRequest(heard)) return;
      socket.write(bytes, () => {
        if (then === 'end') socket.end();
        else if (then === 'reset') socket.resetAndDestroy();
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Whether a HEADERS frame is among what a client has sent: behind the preface, frame by frame. */
function hasRequest(heard: Buffer): boolean {
  for (let at = 24; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3)) {
    if (heard[at + 3] === frameType.headers) return true;
  }
  return false;
}

async function ask(port: number): Promise<{ readonly raw: RawClient; readonly proxy: TestProxy }> {
  const proxy = await startProxy([{ upstream: [port], retry: { tries: 1 }, policy: { protocol: 'http2' } }]);
  stops.push(() => proxy.stop());
  const raw = await RawClient.connect(proxy.port);
  stops.push(() => raw.socket.destroy());
  raw.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
  return { raw, proxy };
}

describe('before the head has reached the client', () => {
  test.each<[string, Buffer, ErrorCodeName]>([
    ['no :status', headers([['a', 'b']]), 'SP_UPSTREAM_PROTOCOL'],
    ['a field of HTTP/1.1', headers([...ok, ['connection', 'close']]), 'SP_UPSTREAM_PROTOCOL'],
    ['a name in upper case', headers([...ok, ['Upper', 'x']]), 'SP_UPSTREAM_PROTOCOL'],
    ['a line break in a value', headers([...ok, ['a', 'x\r\ny: z']]), 'SP_UPSTREAM_PROTOCOL'],
    ['101', headers([[':status', '101']]), 'SP_UPSTREAM_PROTOCOL'],
    ['DATA before the head', data(1, 'x'), 'SP_UPSTREAM_PROTOCOL'],
    [
      'a head that is too large',
      headers([...ok, ...[1, 2, 3, 4, 5].map((n) => [`x-${n}`, 'y'.repeat(4000)] as const)]),
      'SP_UPSTREAM_PROTOCOL',
    ],
    ['a push', frame(frameType.pushPromise, flag.endHeaders, 1, '\0\0\0\x02'), 'SP_UPSTREAM_PROTOCOL'],
    ['an answer to a stream that there is not', headers(ok, 0, 7), 'SP_UPSTREAM_PROTOCOL'],
    [
      'a header block that no table has',
      frame(frameType.headers, flag.endHeaders, 1, '\xff\xff\xff\xff'),
      'SP_UPSTREAM_PROTOCOL',
    ],
    [
      'less than it states',
      headers([...ok, ['content-length', '5']], flag.endStream),
      'SP_UPSTREAM_PROTOCOL',
    ],
    ['a reset', reset(1, 2), 'SP_UPSTREAM_RESET'],
    ['a refusal', reset(1, 7), 'SP_UPSTREAM_RESET'],
    ['a farewell that leaves it out', goaway(0), 'SP_UPSTREAM_RESET'],
  ])('%s: 502', async (_, bytes, code) => {
    const { raw, proxy } = await ask(await answering(bytes));
    expect((await raw.response()).status).toBe(502);
    expect(proxy.counters.errors(code)).toBe(1);
  });

  test.each(['end', 'reset'] as const)('%s of the connection: 502', async (then) => {
    const { raw, proxy } = await ask(await answering(ping(), then));
    expect((await raw.response()).status).toBe(502);
    expect(proxy.counters.errors('SP_UPSTREAM_RESET')).toBe(1);
  });
});

describe('behind the head, the client sees that its answer was cut', () => {
  const length = headers([...ok, ['content-length', '5']]);
  test.each<[string, Buffer, 'stay' | 'end' | 'reset']>([
    ['a reset', Buffer.concat([length, data(1, 'ab'), reset(1, 2)]), 'stay'],
    ['more than it states', Buffer.concat([length, data(1, 'abcdefg')]), 'stay'],
    ['less than it states', Buffer.concat([length, data(1, 'ab', flag.endStream)]), 'stay'],
    ['the end of the connection', Buffer.concat([length, data(1, 'ab')]), 'end'],
    ['a reset of the connection', Buffer.concat([length, data(1, 'ab')]), 'reset'],
    [
      'trailers with a pseudo-field',
      Buffer.concat([length, data(1, 'ab'), headers(ok, flag.endStream)]),
      'stay',
    ],
    ['of an unknown length', Buffer.concat([headers(ok), data(1, 'ab')]), 'end'],
  ])('%s', async (_, bytes, then) => {
    const { raw, proxy } = await ask(await answering(bytes, then));
    const text = await raw.untilEnd();
    expect(text).not.toContain('\r\n0\r\n\r\n');
    expect(text).not.toContain('abcde');
    const cut =
      proxy.counters.errors('SP_UPSTREAM_TRUNCATED') + proxy.counters.errors('SP_UPSTREAM_PROTOCOL');
    expect(cut).toBe(1);
  });
});

test('a whole answer is one, whatever comes behind it', async () => {
  const bytes = Buffer.concat([
    headers([...ok, ['content-length', '2']]),
    data(1, 'ok', flag.endStream),
    reset(1, 0),
  ]);
  const { raw } = await ask(await answering(Buffer.concat([bytes, frame(0xfa, 0, 1, 'unknown')]), 'end'));
  expect(await raw.response()).toMatchObject({ status: 200, body: 'ok' });
});
