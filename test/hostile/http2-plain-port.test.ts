import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { PREFACE } from '../../src/http2/frames.ts';
import { expectFinalRefusal, finalAnswers } from '../support/hostile-harness.ts';
import { Http2HostileRig } from '../support/http2-hostile-harness.ts';
import { settings } from '../support/http2-rig.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';

// A plain port that takes HTTP/1.1 and, by prior knowledge, HTTP/2: the first bytes decide, and there is no way from one to
// the other. Names begin with the row of the corpus.

let rig: Http2HostileRig;

beforeAll(async () => {
  rig = await Http2HostileRig.start('h2c');
});

afterAll(() => rig.stop());

const SETTINGS = 'HTTP2-Settings: AAMAAABkAAQAAP__';
const get = (fields = ''): string => `GET /case HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;

describe('HTTP/1.1', () => {
  test.each([
    ['a GET', get()],
    ['L09 an empty line first', `\r\n${get()}`],
    ['a method that begins as the preface does', get().replace('GET', 'PROPFIND')],
  ])('%s is served', async (_, bytes) => {
    const method = bytes.includes('PROPFIND') ? 'PROPFIND' : 'GET';
    await rig.rig.forwards(bytes, [{ method, target: '/case' }]);
  });

  test('a byte at a time', async () => {
    const client = await rig.rig.connect();
    for (const byte of get()) client.send(byte);
    expect(await client.response()).toMatchObject({ status: 200, body: 'GET /case ' });
    client.close();
  });

  test.each([
    ['h2c', `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${SETTINGS}\r\n`],
    ['h2c, websocket', `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c, websocket\r\n${SETTINGS}\r\n`],
  ])('U01 Upgrade: %s is served as HTTP/1.1', async (_, fields) => {
    const [received] = await rig.rig.forwards(get(fields), [{ method: 'GET', target: '/case' }]);
    for (const name of ['upgrade', 'http2-settings', 'connection'])
      expect(received?.headers.has(name)).toBe(false);
  });

  test.each([
    ['behind a request', get()],
    [
      'behind an upgrade to h2c',
      get(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${SETTINGS}\r\n`),
    ],
  ])('L11 the preface %s is refused', async (_, bytes) => {
    await rig.rig.canary();
    const seen = rig.watch();
    const client = await rig.rig.connect();
    client.send(`${bytes}${PREFACE.toString('latin1')}`);
    const [first, ...rest] = await finalAnswers(client);
    client.close();
    expect(first).toMatchObject({ status: 200, body: 'GET /case ' });
    expectFinalRefusal(rest, 400);
    expect(seen().bytes).not.toContain('PRI');
    await rig.rig.canary();
  });
});

describe('what is neither', () => {
  test.each([
    ['a wrong preface', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'],
    ['a preface of another version', 'PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n'],
    ['no HTTP in the first line', 'INVALID CONNECTION PREFACE\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n'],
    ['a TLS hello', '\x16\x03\x01\x00\x0a\x01\x00\x00\n'],
  ])('L11 %s ends the connection', async (_, bytes) => {
    await rig.rig.canary();
    const seen = rig.watch();
    const client = await rig.rig.connect();
    client.send(bytes);
    const received = await client.untilEnd();
    expect(
      received === '' || received.startsWith('HTTP/1.1 400 ') || received.startsWith('HTTP/1.1 505 '),
    ).toBe(true);
    client.close();
    expect(seen()).toEqual({ requests: [], bytes: '', dials: 0 });
    await rig.rig.canary();
  });

  test('HTTP/1.1 inside of HTTP/2', async () => {
    const client = await rig.connect({ silent: true });
    client.send(PREFACE, settings(), Buffer.from(get()));
    await client.untilClosed();
    expect(client.goaways.at(-1)?.code).toBe('FRAME_SIZE_ERROR');
    client.close();
    await rig.rig.canary();
  });
});

test('the preface a byte at a time, cut by a pause', async () => {
  const client = await RawHttp2Client.connect(rig.rig.proxy.port, { silent: true });
  client.send(PREFACE.subarray(0, 9));
  await rig.rig.canary();
  client.drip(PREFACE.subarray(9), settings(), ...headers(1, rig.get()));
  expect(await client.answer(1)).toMatchObject({ status: 200, body: 'GET /case ' });
  client.close();
});
