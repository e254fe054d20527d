import { once } from 'node:events';
import type { Socket } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { HostileRig } from '../support/hostile-harness.ts';
import type { RawClient, RawResponse } from '../support/raw-client.ts';
import { answer } from '../support/raw-upstream.ts';
import type { Behaviour } from '../support/raw-upstream.ts';

// What a hostile or broken upstream answers: nobody else's request may get any of it. Names begin with the row of the
// corpus. Requests for /case are answered with the case's bytes, all others honestly.

let rig: HostileRig;
let honest: Behaviour;

beforeAll(async () => {
  rig = await HostileRig.start();
  honest = rig.upstream.behaviour;
});

afterEach(() => {
  rig.upstream.behaviour = honest;
});

afterAll(() => rig.stop());

const CASE = 'GET /case HTTP/1.1\r\nHost: a.example\r\n\r\n';
/** What an attacker wants somebody else to get. */
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
const OK = 'HTTP/1.1 200 OK\r\n';

function answersCase(behaviour: Behaviour): void {
  rig.upstream.behaviour = (request, socket) =>
    request.target === '/case' ? behaviour(request, socket) : honest(request, socket);
}

/** Sends a request for /case over a pooled connection; returns the client, and what must hold when its answer is known. */
async function ask(bytes = CASE): Promise<{ client: RawClient; expectDropped: () => Promise<void> }> {
  await rig.canary();
  const seen = rig.watch();
  const client = await rig.connect();
  client.send(bytes);
  await rig.upstream.until(() => seen().requests.length > 0);
  const used = seen().requests[0]?.connection as number;
  const expectDropped = async (): Promise<void> => {
    client.close();
    await rig.upstream.until(() => rig.upstream.sockets[used]?.destroyed === true);
    await rig.canary();
    expect(seen().requests.map(({ target }) => target)).toEqual([
      '/case',
      expect.stringContaining('/canary'),
    ]);
    expect(seen().requests[1]?.connection).not.toBe(used);
  };
  return { client, expectDropped };
}

/** The proxy's own 502, with nothing of the upstream in it, on a connection of which the upstream half is gone. */
async function expectRefused(bytes: string | Buffer, request = CASE): Promise<void> {
  answersCase(() => bytes);
  const counted = rig.errors('SP_UPSTREAM_PROTOCOL');
  const { client, expectDropped } = await ask(request);
  expect(await client.response()).toMatchObject({ status: 502, body: '502 Bad Gateway\n' });
  expect(client.received).toBe('');
  expect(rig.errors('SP_UPSTREAM_PROTOCOL') - counted).toBe(1);
  await expectDropped();
}

/** Whether the end of a connection can be mistaken for the end of an answer by this client. */
async function endsByReset(client: RawClient): Promise<boolean> {
  const failed = once(client.socket, 'error').then(
    () => true,
    () => true,
  );
  return Promise.race([failed, once(client.socket, 'end').then(() => false)]);
}

describe('framing', () => {
  test.each([
    ['R01 CL and TE', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${POISON}`],
    ['R01 TE and CL', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${POISON}`],
    ['R01 CL twice, different', `${OK}Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello${POISON}`],
    ['R01 CL twice, the same', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 CL list', `${OK}Content-Length: 5, 5\r\n\r\nhello`],
    ['R01 CL +1', `${OK}Content-Length: +1\r\n\r\nh`],
    ['R01 CL -1', `${OK}Content-Length: -1\r\n\r\n`],
    ['R01 CL empty', `${OK}Content-Length: \r\n\r\n`],
    ['R01 LF ends a field', `${OK}X-A: b\nContent-Length: 5\r\n\r\nhello`],
    ['R01 LF ends the status line', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello'],
    ['R01 LF for the empty line', `${OK}Content-Length: 5\r\n\nhello`],
    ['R01 obs-fold', `${OK}X-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 folded TE', `${OK}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ['R01 NUL in a value', `${OK}X-A: b\0c\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 CR in a value', `${OK}X-A: b\rc\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 blank in a name', `${OK}X A: b\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 blank behind a name', `${OK}Content-Length : 5\r\n\r\nhello`],
    ['R01 no name', `${OK}: b\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 no colon', `${OK}X-A\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 8-bit name', `${OK}X-\xe9: b\r\nContent-Length: 5\r\n\r\nhello`],
    ['R01 not HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['R01 TE on HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['R02 xchunked', `${OK}Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`],
    ['R02 chunked, gzip', `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n`],
    ['R02 gzip', `${OK}Transfer-Encoding: gzip\r\n\r\nhello`],
    ['R02 chunked twice', `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
    ['R05 status 099', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
    ['R05 status 600', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
    ['R05 status 2000', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
    ['R05 status 20', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
    ['R05 status +20', 'HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n'],
    ['R05 HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['R06 nine 103', `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(9)}${answer('late')}`],
    ['R06 300 of 100', `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(300)}${answer('late')}`],
    ['R08 a head of 20 KiB', `${OK}X-A: ${'b'.repeat(20 * 1024)}\r\nContent-Length: 0\r\n\r\n`],
    ['R08 20 KiB without an end', `${OK}X-A: ${'b'.repeat(20 * 1024)}`],
    ['R08 300 fields', `${OK}${'X-A: b\r\n'.repeat(300)}Content-Length: 0\r\n\r\n`],
  ])('%s', async (name, bytes) => {
    // Relayed before the ninth: they are behind the client's answer line, not in it.
    if (!name.startsWith('R06 nine')) {
      await expectRefused(bytes);
      return;
    }
    answersCase(() => bytes);
    const { client, expectDropped } = await ask();
    const statuses: number[] = [];
    while (statuses.at(-1) === undefined || statuses.at(-1) === 103)
      statuses.push((await client.response()).status);
    expect(statuses).toEqual([...Array.from({ length: 8 }, () => 103), 502]);
    await expectDropped();
  });

  // The head has been relayed by then: what can still be said is that the answer did not end well.
  test.each([
    ['R01 CL in a trailer', '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'],
    ['R01 TE in a trailer', '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['R01 LF behind a chunk size', '5\nhello\r\n0\r\n\r\n'],
    ['R01 chunk size 0x5', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['R01 chunk longer than its size', '5\r\nhelloworld\r\n0\r\n\r\n'],
  ])('%s', async (_, body) => {
    answersCase(() => `${OK}Transfer-Encoding: chunked\r\n\r\n${body}`);
    const { client, expectDropped } = await ask();
    const received = await client.untilEnd();
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(received).not.toContain('world');
    await expectDropped();
  });
});

describe('more than was asked for', () => {
  test.each([
    ['behind a length', `${answer('hello')}${POISON}`],
    ['behind chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${POISON}`],
    ['CR LF behind a length', `${answer('hello')}\r\n`],
    ['one byte behind a length', `${answer('hello')}\0`],
  ])('R03 %s', async (_, bytes) => {
    answersCase(() => bytes);
    const { client, expectDropped } = await ask();
    expect(await client.response()).toMatchObject({ status: 200, body: 'hello' });
    expect(client.received).toBe('');
    await expectDropped();
  });

  test.each([
    ['a whole response', POISON],
    ['one byte', '\n'],
    ['a 408', 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'],
  ])('R03 %s while idle in the pool', async (_, bytes) => {
    answersCase(() => answer('hello'));
    const { client, expectDropped } = await ask();
    expect(await client.response()).toMatchObject({ status: 200, body: 'hello' });
    rig.upstream.sockets.at(-1)?.write(bytes);
    await expectDropped();
  });

  test.each([
    ['HEAD, a length', CASE.replace('GET', 'HEAD'), answer('hello'), 200],
    [
      'HEAD, chunks',
      CASE.replace('GET', 'HEAD'),
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      200,
    ],
    ['204', CASE, 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', 204],
    ['204, poison', CASE, `HTTP/1.1 204 No Content\r\n\r\n${POISON}`, 204],
    ['304', CASE, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', 304],
    ['304, poison', CASE, `HTTP/1.1 304 Not Modified\r\n\r\n${POISON}`, 304],
  ])('R04 %s', async (_, request, bytes, status) => {
    answersCase(() => bytes);
    const { client, expectDropped } = await ask(request);
    await client.until((received) => received.includes('\r\n\r\n'));
    client.send('GET /canary-own HTTP/1.1\r\nHost: a.example\r\n\r\n');
    // What follows the head is the next answer.
    const received = await client.until((text) => text.endsWith('GET /canary-own '));
    expect(received.slice(0, received.indexOf('\r\n\r\n'))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(received).not.toMatch(/hello|poison/);
    rig.upstream.requests.splice(-1);
    await expectDropped();
  });
});

describe('informational responses', () => {
  test('R06 103, then 200', async () => {
    answersCase(() => `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${answer('hello')}`);
    const { client } = await ask();
    expect(await client.response()).toMatchObject({ status: 103 });
    expect(await client.response()).toMatchObject({ status: 200, body: 'hello' });
    client.close();
    await rig.canary();
  });

  test('R06 103 is not for HTTP/1.0', async () => {
    answersCase(() => `HTTP/1.1 103 Early Hints\r\n\r\n${answer('hello')}`);
    const { client } = await ask(CASE.replace('1.1', '1.0'));
    expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    client.close();
    await rig.canary();
  });
});

describe('cut short', () => {
  const cuts: readonly (readonly [name: string, bytes: string])[] = [
    ['a length', `${OK}Content-Length: 10\r\n\r\nhello`],
    ['chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`],
    ['a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\na\r\nhello`],
    ['the last chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`],
  ];
  const ends: readonly (readonly [name: string, end: (socket: Socket) => void])[] = [
    ['FIN', (socket) => socket.end()],
    ['RST', (socket) => socket.resetAndDestroy()],
  ];

  /** Cuts once the client has the first part, so that it is the answer itself that is cut. */
  async function cut(bytes: string, end: (socket: Socket) => void, request: string): Promise<RawClient> {
    answersCase(() => bytes);
    const counted = rig.errors('SP_UPSTREAM_TRUNCATED');
    const { client, expectDropped } = await ask(request);
    await client.until((received) => received.includes('hello'));
    const reset = endsByReset(client);
    end(rig.upstream.sockets.at(-1) as Socket);
    await client.untilEnd();
    expect(rig.errors('SP_UPSTREAM_TRUNCATED') - counted).toBe(1);
    // Without a length, HTTP/1.0 takes the end of the connection for that of the body.
    if (request.includes('HTTP/1.0')) expect(await reset).toBe(!bytes.includes('Content-Length'));
    await expectDropped();
    return client;
  }

  const variants = cuts.flatMap(([name, bytes]) =>
    ends.map(([how, end]) => [name, how, bytes, end] as const),
  );

  test.each(variants)('R07 %s, by %s', async (name, _, bytes, end) => {
    const { received } = await cut(bytes, end, CASE);
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(received.includes('Content-Length: 10\r\n')).toBe(name === 'a length');
  });

  test.each(variants)('R07 %s, by %s, for HTTP/1.0', async (_, __, bytes, end) => {
    await cut(bytes, end, CASE.replace('1.1', '1.0'));
  });

  test('R07 a body that the end ends, by RST', async () => {
    await cut(`${OK}\r\nhello`, (socket) => socket.resetAndDestroy(), CASE);
  });
});

describe('splitting', () => {
  const filters = [
    {
      name: 'redirect',
      config: { kind: 'parts', statusCode: 302, host: 'new.example', replacePrefix: '/to' },
    },
  ];
  let redirecting: HostileRig;

  beforeAll(async () => {
    redirecting = await HostileRig.start({ routes: [{ path: '/from', filters }, {}] });
  });

  afterAll(() => redirecting.stop());

  test.each(['%0d%0aSet-Cookie:%20a=b', '%0D%0A%0D%0A', '%0a', '%00'])('R09 %s in the path', async (text) => {
    await redirecting.refuses(`GET /from/${text} HTTP/1.1\r\nHost: a.example\r\n\r\n`, {
      status: 400,
      code: 'SP_BAD_PATH',
    });
  });

  test.each(['%0d%0aSet-Cookie:%20a=b', '%0D%0A%0D%0A'])(
    'R09 %s in the query stays encoded',
    async (text) => {
      const response = await redirecting.answers(
        `GET /from/x?q=${text} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
        302,
      );
      expect(response.headers.get('location')).toBe(`http://new.example/to/x?q=${text}`);
      expect(response.headers.has('set-cookie')).toBe(false);
    },
  );
});

describe('the keep-alive race', () => {
  const ends: readonly (readonly [name: string, end: (socket: Socket) => void])[] = [
    ['FIN', (socket) => socket.end()],
    ['RST', (socket) => socket.resetAndDestroy()],
  ];
  const POST = 'POST /case HTTP/1.1\r\nHost: a.example\r\nContent-Length: ';

  /** The pooled connection ends as the request arrives on it; a next try is answered. Returns tries and answer. */
  async function race(
    bytes: string,
    end: (socket: Socket) => void,
    first = '',
  ): Promise<{ tries: number; answered: RawResponse }> {
    let tries = 0;
    answersCase((_, socket) => {
      if (++tries > 1) return answer(`try ${tries}`);
      if (first === '') end(socket);
      else socket.write(first, () => end(socket));
      return undefined;
    });
    await rig.canary();
    const dials = rig.upstream.sockets.length;
    const client = await rig.connect();
    client.send(bytes);
    const answered = await client.response();
    client.close();
    await rig.canary();
    expect(rig.upstream.sockets).toHaveLength(dials + 1);
    return { tries, answered };
  }

  test.each(ends)('R10 a GET, %s: one more try', async (_, end) => {
    expect(await race(CASE, end)).toMatchObject({ tries: 2, answered: { status: 200, body: 'try 2' } });
  });

  test.each(ends)('R10 a PUT with its body, %s: one more try', async (_, end) => {
    expect(await race(`${POST.replace('POST', 'PUT')}5\r\n\r\nhello`, end)).toMatchObject({
      tries: 2,
      answered: { status: 200 },
    });
  });

  test.each(ends)('R10 a POST without a body, %s: one more try', async (_, end) => {
    expect(await race(`${POST}0\r\n\r\n`, end)).toMatchObject({ tries: 2, answered: { status: 200 } });
  });

  test.each(ends)('R10 a POST whose body was sent, %s: 502', async (_, end) => {
    expect(await race(`${POST}5\r\n\r\nhello`, end)).toMatchObject({ tries: 1, answered: { status: 502 } });
  });

  test.each(ends)('R10 a GET after a byte of the answer, %s: 502', async (_, end) => {
    expect(await race(CASE, end, 'H')).toMatchObject({ tries: 1, answered: { status: 502 } });
  });

  test('R10 a connection that ended while idle is not used', async () => {
    await rig.canary();
    const socket = rig.upstream.sockets.at(-1) as Socket;
    const closed = once(socket, 'close');
    socket.end();
    await closed;
    const seen = rig.watch();
    await rig.canary();
    expect(seen()).toMatchObject({ dials: 1 });
    expect(seen().requests).toHaveLength(1);
  });
});

describe('an early final answer', () => {
  const BODY = 100_000;

  test.each([
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly', 200, 'with a length'],
    ['413', 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nearly', 413, 'with a length'],
    ['401', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nearly', 401, 'in chunks'],
  ])('R11 %s while a body comes (%#)', async (_, bytes, status, how) => {
    await rig.canary();
    const seen = rig.watch();
    const client = await rig.connect();
    const framing = how === 'in chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${BODY}`;
    client.send(`POST /case HTTP/1.1\r\nHost: a.example\r\n${framing}\r\n\r\n`);
    client.send(how === 'in chunks' ? '7\r\npartial\r\n' : 'partial');
    await rig.upstream.until(() => seen().bytes.includes('partial'));
    const socket = rig.upstream.sockets.at(-1) as Socket;
    socket.write(bytes);
    const response = await client.response();
    expect(response).toMatchObject({ status, body: 'early' });
    expect(response.headers.get('connection')).toBe('close');
    // Not HTTP any more, wherever it went: the rest of the body, then what could be read as a request.
    client.send('rest of the body GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.untilEnd();
    expect(client.received).toBe('');
    client.close();
    await rig.upstream.until(() => socket.destroyed);
    expect(seen().bytes).not.toMatch(/rest|smuggled/);
    await rig.canary();
    expect(seen()).toMatchObject({ dials: 1, requests: [{ target: expect.stringContaining('/canary') }] });
  });
});
