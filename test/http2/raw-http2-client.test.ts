import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { get } from '../support/http2-rig.ts';
import { RawHttp2Client, headers, integer, literalBlock } from '../support/raw-http2-client.ts';
import { SmallServer } from './small-server.ts';

// The client that the hostile rows are sent with: what it says by itself is right, and what it is given goes out as it is.

let server: SmallServer;
beforeAll(async () => {
  server = await SmallServer.start();
});
afterAll(() => server.stop());

test('two requests, one of them a byte at a time, and one that is malformed', async () => {
  const client = await RawHttp2Client.connect(server.port);
  expect(await client.request(get)).toMatchObject({ status: 200, body: 'A small body.\n', isEnded: true });
  client.drip(...headers(client.nextStream(), get));
  expect(await client.answer(3)).toMatchObject({ status: 200, isEnded: true, reset: undefined });
  expect(await client.request([...get, ['X-Upper', 'x']])).toMatchObject({
    status: 0,
    reset: 'PROTOCOL_ERROR',
  });
  expect(client.settings.get(3)).toBe(100);
  expect(client.faults).toEqual([]);
  client.close();
});

test('a connection that fails', async () => {
  const client = await RawHttp2Client.connect(server.port);
  client.send(...headers(2, get));
  await client.untilClosed();
  expect(client.goaways).toEqual([{ last: 0, code: 'PROTOCOL_ERROR' }]);
  client.close();
});

test('blocks are written as RFC 7541 says', () => {
  // Appendix C.1.2, and C.2.2 with a name that is no index.
  expect(integer(1337, 5)).toEqual(Buffer.from([31, 154, 10]));
  expect(integer(10, 5)).toEqual(Buffer.from([10]));
  expect(literalBlock([['ab', 'c']]).toString('hex')).toBe('000261620163');
  expect(headers(1, [['x', 'y'.repeat(20_000)]]).map((frame) => frame.length)).toEqual([16_393, 3632]);
});
