import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { AccessLog } from '../../src/telemetry/access-log.ts';
import { Http2HostileRig, fieldsOf, transports } from '../support/http2-hostile-harness.ts';
import type { Fields } from '../support/http2-rig.ts';
import {
  adminRoute,
  aliases,
  claimedAddresses,
  forwardedFamily,
  oddHops,
  ours,
  roles,
} from './rows/header-rows.ts';

// The rows H over HTTP/2: what an upstream may believe of a request's fields, whichever protocol they came by.

describe.each(transports)('%s', (transport) => {
  let rig: Http2HostileRig;
  let conditional: Http2HostileRig;
  const told =
    transport === 'h2c'
      ? ours
      : {
          ...ours,
          'x-forwarded-port': '443',
          'x-forwarded-proto': 'https',
          'x-forwarded-scheme': 'https',
          'x-scheme': 'https',
        };

  beforeAll(async () => {
    rig = await Http2HostileRig.start(transport);
    conditional = await Http2HostileRig.start(transport, { routes: [adminRoute, {}] });
  });

  afterAll(async () => {
    await rig.stop();
    await conditional.stop();
  });

  /** Fields as the upstream gets them; the id, which is random, left out. */
  async function forwarded(fields: Fields): Promise<Record<string, string>> {
    const received = await rig.forwards(rig.get(...fields), { method: 'GET', target: '/case' });
    const { 'x-request-id': id, ...rest } = Object.fromEntries(received.headers);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    return rest;
  }

  test.each(forwardedFamily)('H01 %s', async (name, value) => {
    expect(await forwarded([[name.toLowerCase(), value]])).toEqual(told);
  });

  test.each(claimedAddresses)('H01 x-forwarded-for %s', async (_, fields, claimed) => {
    expect(await forwarded(fieldsOf(fields))).toEqual({ ...told, 'x-original-forwarded-for': claimed });
  });

  test.each([...aliases, 'x-auth_user: admin'])('H02 %s', async (field) => {
    expect(await forwarded(fieldsOf([field]))).toEqual(told);
  });

  test.each<[string, string]>([
    ['proxy-authorization', 'Basic eDp5'],
    ['proxy-authenticate', 'Basic'],
    ['trailer', 'x-sum'],
    ['http2-settings', 'AAMAAABkAAQAAP__'],
    ['proxy', 'http://evil.example:8080'],
  ])('H04, H09 %s', async (name, value) => {
    expect(await forwarded([[name, value]])).toEqual(told);
  });

  test.each(roles)('H06 %s', async (_, fields, expected) => {
    const received = await conditional.forwards(conditional.get(...fieldsOf(fields)), { target: '/case' });
    expect(received.headers.get('x-matched')).toBe(expected);
  });

  describe('cookies', () => {
    const crumbs = (count: number): [string, string][] =>
      Array.from({ length: count }, (_, index) => ['cookie', `c${index}=${index}`]);

    test('H07 50 crumbs are one Cookie', async () => {
      const cookie = crumbs(50)
        .map(([, value]) => value)
        .join('; ');
      expect(await forwarded(crumbs(50))).toEqual({ ...told, cookie });
    });

    test('H07 crumbs between other fields', async () => {
      expect(
        await forwarded([
          ['cookie', 'a=1'],
          ['x-a', 'b'],
          ['cookie', 'b=2; c=3'],
          ['x-c', 'd'],
          ['cookie', 'd=4'],
        ]),
      ).toEqual({ ...told, cookie: 'a=1; b=2; c=3; d=4', 'x-a': 'b', 'x-c': 'd' });
    });

    test('H07 each counts as a field', async () => {
      await rig.resets(rig.get(...crumbs(101)), 'ENHANCE_YOUR_CALM');
    });
  });

  test.each(oddHops)('H09 a count that is not ours: %j', async (count) => {
    await rig.answers(rig.get(['x-sallyport-hops', count]), 508);
  });

  test.each(['__proto__', 'constructor', 'hasownproperty', 'tostring', 'valueof'])('L13 %s', async (name) => {
    const received = await rig.forwards(rig.get([name, 'a']), { target: '/case' });
    // A name with an underscore is not forwarded; none of them may be more than a name.
    expect(received.headers.get(name)).toBe(name.includes('_') ? undefined : 'a');
  });

  test.each([
    ['in a value', 'a\xffb'],
    ['at the edges', '\xa0a\x85'],
  ])('L05 8-bit %s is forwarded byte by byte', async (_, value) => {
    expect(await forwarded([['x-a', value]])).toEqual({ ...told, 'x-a': value });
  });
});

describe('the access log', () => {
  test('H10 quotes stay inside of their value', async () => {
    let lines = '';
    const accessLog = new AccessLog({ send: (text) => (lines += text) });
    const logged = await Http2HostileRig.start('h2c', { accessLog });
    try {
      const agent = '","status":200,"x":"\x9b31m\xe9';
      await logged.forwards(logged.get(['user-agent', agent]), { target: '/case' });
      accessLog.flush();
      expect(lines).toMatch(/^(?:\{[\x20-\x7e]*\}\n)+$/);
      const entries = lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(entries.filter(({ user_agent: name }) => name === agent)).toMatchObject([
        { path: '/case', status: 200, protocol: 'HTTP/2.0' },
      ]);
    } finally {
      await logged.stop();
    }
  });
});
