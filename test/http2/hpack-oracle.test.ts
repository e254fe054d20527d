import { once } from 'node:events';
import { connect, sensitiveHeaders } from 'node:http2';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { duplexPair } from 'node:stream';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { defaultLimits } from '../../src/http2/limits.ts';
import { HeaderList } from '../../src/util/header-list.ts';
import { SocketTransport } from './socket-transport.ts';

// Header compression against nghttp2, which is inside of node:http2: on one connection after the other, heads that repeat
// and differ, with tables that grow and shrink in between. What it encodes we decode, and the other way round.

type Fields = readonly (readonly [name: string, value: string])[];

/** Names and values of a few kinds, so that tables are hit, filled and thrown over. */
const name = fc.oneof(
  fc.constantFrom(
    'accept',
    'user-agent',
    'cache-control',
    'x-a',
    'x-b',
    'x-request-id',
    'authorization',
    'etag',
  ),
  fc.stringMatching(/^x-[a-z0-9]{1,30}$/),
);
const value = fc.oneof(
  fc.constantFrom('', 'gzip, deflate', 'no-cache', 'a', 'Mozilla/5.0 (X11; Linux x86_64)'),
  fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/),
  fc.nat(1200).map((length) => 'v'.repeat(length)),
);

interface Step {
  /** SETTINGS_HEADER_TABLE_SIZE that nghttp2 announces before; undefined for none. */
  readonly tableBytes: number | undefined;
  readonly request: Fields;
  readonly response: Fields;
  readonly isSecret: boolean;
}

const fields = fc.uniqueArray(fc.tuple(name, value), { maxLength: 12, selector: ([given]) => given });
const step: fc.Arbitrary<Step> = fc.record({
  tableBytes: fc.option(fc.constantFrom(0, 64, 200, 1000, 4096, 20_000), { nil: undefined, freq: 3 }),
  request: fields,
  response: fields,
  isSecret: fc.boolean(),
});

async function exchange(
  session: ClientHttp2Session,
  { tableBytes, request, isSecret }: Step,
): Promise<Fields> {
  if (tableBytes !== undefined) {
    session.settings({ headerTableSize: tableBytes });
    await once(session, 'localSettings');
  }
  const headers: OutgoingHttpHeaders & { [sensitiveHeaders]?: string[] } = Object.fromEntries(request);
  if (isSecret) headers[sensitiveHeaders] = request.slice(0, 2).map(([given]) => given);
  const stream = session.request(headers);
  const closed = once(stream, 'close');
  stream.resume();
  const [, , raw] = (await once(stream, 'response')) as [unknown, unknown, readonly string[]];
  await closed;
  const read: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) read.push([raw[at] as string, raw[at + 1] as string]);
  return read.filter(([given]) => given !== ':status');
}

test('heads come out as they went in, both ways', async () => {
  let heads = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40, size: 'max' }), async (steps) => {
      const [theirs, ours] = duplexPair();
      const seen: Fields[] = [];
      const problems: string[] = [];
      const problem = (code: string, reason: string): void => void problems.push(`${code} ${reason}`);
      void new SocketTransport(
        ours,
        { role: 'server', limits: defaultLimits, now: () => 0 },
        {
          request(stream, head) {
            const headers = new HeaderList();
            for (const [given, text] of steps[seen.length]?.response ?? []) headers.append(given, text);
            seen.push(head.headers.entries());
            stream.respond(200, headers, true);
            return { response() {}, data() {}, end() {}, reset() {}, writable() {} };
          },
          refused: () => problem('refused', ''),
          streamFault: problem,
          goaway: () => {},
          pong: () => {},
          failed: problem,
        },
      );
      const session = connect('http://a.example', { createConnection: () => theirs });
      const read: Fields[] = [];
      for (const each of steps) read.push(await exchange(session, each));
      session.destroy();
      expect(problems).toEqual([]);
      expect(seen).toEqual(steps.map(({ request }) => request));
      expect(read).toEqual(steps.map(({ response }) => response));
      heads += 2 * steps.length;
    }),
    { numRuns: 25, endOnFailure: true },
  );
  expect(heads).toBeGreaterThan(1000);
}, 60_000);
