import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { AccessLog } from '../../src/telemetry/access-log.ts';
import { HostileRig } from '../support/hostile-harness.ts';
import { request } from '../support/raw-client.ts';
import {
  adminRoute,
  aliases,
  claimedAddresses,
  forwardedFamily,
  oddHops,
  ours,
  roles,
} from './rows/header-rows.ts';

// Fields of a request: who says them, and what of them the upstream may believe (RFC 9110 §7.6.1). Names begin with the
// row of the corpus.

let rig: HostileRig;

beforeAll(async () => {
  rig = await HostileRig.start();
});

afterAll(() => rig.stop());

function get(fields: readonly string[], path = '/case'): string {
  return `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

/** Fields as the upstream gets them for a request that has these beside Host; the id, which is random, left out. */
async function forwarded(fields: readonly string[]): Promise<Record<string, string>> {
  const [received] = await rig.forwards(get(fields), [{ method: 'GET', target: '/case' }]);
  const { 'x-request-id': id, ...rest } = Object.fromEntries(received?.headers ?? []);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  return rest;
}

describe('the forwarded family, from a peer that is not trusted', () => {
  test.each(forwardedFamily)('H01 %s', async (name, value) => {
    expect(await forwarded([`${name}: ${value}`])).toEqual(ours);
  });

  // The claim is kept for the record, under a name that says so.
  test.each(claimedAddresses)('H01 X-Forwarded-For %s', async (_, fields, claimed) => {
    expect(await forwarded(fields)).toEqual({ ...ours, 'x-original-forwarded-for': claimed });
  });
});

describe('aliases with an underscore', () => {
  test.each([...aliases, 'x-auth_user: admin', 'X_Auth_User: admin'])('H02 %s', async (field) => {
    expect(await forwarded([field])).toEqual(ours);
  });

  describe('where underscores are allowed', () => {
    let lenient: HostileRig;

    beforeAll(async () => {
      lenient = await HostileRig.start({ settings: { allowUnderscores: true } });
    });

    afterAll(() => lenient.stop());

    test.each(aliases)('H02 %s, an alias of a field that is ours', async (field) => {
      const [received] = await lenient.forwards(get([field]), [{ target: '/case' }]);
      expect([...(received?.headers.keys() ?? [])].filter((name) => name.includes('_'))).toEqual([]);
    });

    test('H02 X_Custom passes', async () => {
      const [received] = await lenient.forwards(get(['X_Custom: a']), [{ target: '/case' }]);
      expect(received?.headers.get('x_custom')).toBe('a');
    });
  });
});

describe('fields that Connection names', () => {
  test.each([
    ['close, x-forwarded-for'],
    ['CLOSE, X-Forwarded-For'],
    ['x-forwarded-host'],
    ['X-Forwarded-Proto, X-Real-IP'],
    ['host'],
    ['Host, x-request-id'],
    ['x-sallyport-hops'],
  ])('H03 %s: what is ours stays', async (options) => {
    expect(await forwarded([`Connection: ${options}`])).toEqual(ours);
  });

  test.each([
    ['authorization', 'Basic eDp5'],
    ['Authorization', 'Basic eDp5'],
    ['cookie', 'a=b'],
    ['COOKIE', 'a=b'],
  ])('H03 %s stays', async (name, value) => {
    expect(await forwarded([`${name}: ${value}`, `Connection: close, ${name}`])).toEqual({
      ...ours,
      [name.toLowerCase()]: value,
    });
  });

  test.each(['X-Custom', 'x-custom', 'close, X-CUSTOM', ',,x-custom,'])('H03 %s goes', async (options) => {
    expect(await forwarded(['X-Custom: a', `Connection: ${options}`])).toEqual(ours);
  });

  test('H03 named in a second Connection field', async () => {
    expect(await forwarded(['X-Custom: a', 'Connection: keep-alive', 'Connection: x-custom'])).toEqual(ours);
  });

  test('H03 all at once', async () => {
    const fields = [
      'X-Forwarded-For: 10.0.0.1',
      'Authorization: Basic eDp5',
      'Cookie: a=b',
      'X-Custom: a',
      'Connection: close, X-Forwarded-For, authorization, HOST, Cookie, x-custom',
    ];
    expect(await forwarded(fields)).toEqual({
      ...ours,
      authorization: 'Basic eDp5',
      cookie: 'a=b',
      'x-original-forwarded-for': '10.0.0.1',
    });
  });
});

describe('the fixed set of hop-by-hop fields', () => {
  test.each([
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eDp5',
    'Proxy-Authenticate: Basic',
    'Trailer: X-Sum',
    'Upgrade: websocket',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    'TE: gzip',
    'TE: deflate;q=0.5, trailers-not',
  ])('H04 %s', async (field) => {
    expect(await forwarded([field])).toEqual(ours);
  });

  test.each(['trailers', 'Trailers', 'gzip, trailers'])('H04 TE: %s', async (value) => {
    expect(await forwarded([`TE: ${value}`])).toEqual({ ...ours, te: 'trailers' });
  });
});

describe('a field with several values against a condition', () => {
  let conditional: HostileRig;

  beforeAll(async () => {
    conditional = await HostileRig.start({ routes: [adminRoute, {}] });
  });

  afterAll(() => conditional.stop());

  test.each(roles)('H06 %s', async (_, fields, matched) => {
    const [received] = await conditional.forwards(get(fields), [{ target: '/case' }]);
    expect(received?.headers.get('x-matched')).toBe(matched);
  });
});

describe('loops', () => {
  test.each(['Proxy: http://evil.example:8080', 'PROXY: evil', 'proxy: evil'])('H09 %s', async (field) => {
    expect(await forwarded([field])).toEqual(ours);
  });

  test.each(oddHops)('H09 a count that is not ours: %j', async (count) => {
    await rig.answers(get([`X-Sallyport-Hops: ${count}`]), 508);
  });

  test('H09 a route to the proxy itself', async () => {
    const looping = await HostileRig.start({ routes: [{}] });
    try {
      const { proxy, upstream } = looping;
      await looping.canary();
      await proxy.publish([{ host: 'loop.example', upstream: [proxy.port] }, { upstream: [upstream.port] }]);
      const before = proxy.counters.read('requestsTotal');
      const response = await request(proxy.port, 'GET / HTTP/1.1\r\nHost: loop.example\r\n\r\n');
      expect(response.status).toBe(508);
      // Ten forwarded, the eleventh refused.
      expect(proxy.counters.read('requestsTotal') - before).toBe(11);
      expect(proxy.counters.errors('SP_LOOP')).toBe(1);
      await looping.canary();
    } finally {
      await looping.stop();
    }
  });
});

describe('the access log', () => {
  let logged: HostileRig;
  let lines = '';
  const accessLog = new AccessLog({ send: (text) => (lines += text) });

  beforeAll(async () => {
    logged = await HostileRig.start({ accessLog });
  });

  afterAll(() => logged.stop());

  afterEach(() => {
    lines = '';
  });

  /** The entry of the one request for /case: every line is one object, of printable ASCII, with nothing beside it. */
  function caseEntry(isCase: (entry: Record<string, unknown>) => boolean): Record<string, unknown> {
    accessLog.flush();
    expect(lines).toMatch(/^(?:\{[\x20-\x7e]*\}\n)+$/);
    const entries = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const found = entries.filter((entry) => isCase(entry));
    expect(found).toHaveLength(1);
    expect(entries).toHaveLength(3);
    return found[0] as Record<string, unknown>;
  }

  test.each([
    ['quotes', '","status":200,"x":"'],
    ['a backslash at the end', 'a\\'],
    ['a tab', 'a\tb'],
    ['C1 controls (8-bit CSI)', 'a\x9b31mb'],
    ['8-bit', 'a\xe9\xffb'],
    ['a brace and a line of its own', '"}{"time":"now"}'],
  ])('H10 User-Agent with %s', async (_, agent) => {
    await logged.forwards(get([`User-Agent: ${agent}`]), [{ target: '/case' }]);
    expect(caseEntry(({ path }) => path === '/case')['user_agent']).toBe(agent);
  });

  test('H10 Referer with quotes', async () => {
    await logged.forwards(get(['Referer: "},{"']), [{ target: '/case' }]);
    expect(caseEntry(({ path }) => path === '/case')['referer']).toBe('"},{"');
  });

  test('H10 User-Agent of 16 KB is cut', async () => {
    const agent = 'x'.repeat(16_000);
    await logged.forwards(get([`User-Agent: ${agent}`]), [{ target: '/case' }]);
    expect(caseEntry(({ path }) => path === '/case')['user_agent']).toBe(`${agent.slice(0, 2048)}...`);
  });

  test.each([
    ['CR', 'a\rb'],
    ['LF', 'a\nb'],
    ['CR LF that is no fold', 'a\r\n\x1b[31m'],
    ['ESC', 'a\x1b[2Jb'],
    ['NUL', 'a\0b'],
  ])('H10 User-Agent with %s', async (_, agent) => {
    await logged.refuses(get([`User-Agent: ${agent}`]), { status: 400, code: 'SP_BAD_REQUEST' });
    expect(caseEntry(({ status }) => status === 400)).toMatchObject({ error: 'SP_BAD_REQUEST' });
  });

  test.each([
    ['%0d%0a in the path', '/a%0d%0a{"x":1}', 'a.example'],
    ['a raw quote in the query', '/case?"', 'a.example'],
  ])('H10 %s', async (_, path) => {
    const client = await logged.connect();
    client.send(get([], path));
    await client.response();
    client.close();
    await logged.canary();
    await logged.canary();
    caseEntry((entry) => !String(entry['path']).startsWith('/canary'));
  });

  test.each(['a\tb', 'x'.repeat(200), '"', 'a b'])('H10 X-Request-ID %j is not taken over', async (id) => {
    const [received] = await logged.forwards(get([`X-Request-ID: ${id}`]), [{ target: '/case' }]);
    expect(received?.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    caseEntry(({ path }) => path === '/case');
  });
});
