import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { HostileRig } from '../support/hostile-harness.ts';
import type { Refusal } from '../support/hostile-harness.ts';
import { badHosts, goodHosts } from './rows/host-rows.ts';

// Whom a request is for: Host and the forms of a target (RFC 9112 §3.2, RFC 9110 §7.2). Names begin with the row of the
// corpus.

let rig: HostileRig;

beforeAll(async () => {
  rig = await HostileRig.start();
});

afterAll(() => rig.stop());

const badHost: Refusal = { status: 400, code: 'SP_BAD_HOST' };
const badRequest: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };

function get(target: string, ...hosts: readonly string[]): string {
  return `GET ${target} HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}\r\n`;
}

describe('Host', () => {
  test.each([
    ['T01 none', get('/')],
    ['T01 two, different', get('/', 'a.example', 'b.example')],
    ['T01 two, the same', get('/', 'a.example', 'a.example')],
    ...badHosts.map(([name, host]): [string, string] => [name, get('/', host)]),
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, badHost);
  });

  test.each([
    ['T06 U+3002 for a dot', get('/', 'a\xe3\x80\x82example')],
    ['T06 a U-label', get('/', 'b\xc3\xbccher.example')],
    ['T06 NUL', get('/', 'a\0.example')],
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, badRequest);
  });

  test.each(goodHosts)('%s', async (_, sent, host) => {
    const [request] = await rig.forwards(get('/case', sent), [{ target: '/case' }]);
    expect(request?.headers.get('host')).toBe(host);
    expect(request?.headers.get('x-forwarded-host')).toBe(host);
  });
});

describe('forms of the target', () => {
  test.each([
    ['T03 another authority than Host', get('http://b.example/', 'a.example')],
    ['T03 another port than Host', get('http://a.example:81/', 'a.example')],
    ['T03 userinfo', get('http://u@a.example/', 'a.example')],
    ['T03 gopher', get('gopher://a.example/', 'a.example')],
    ['T03 https on plain', get('https://a.example/', 'a.example')],
    ['T03 no authority', get('http:///', 'a.example')],
    ['T04 GET *', get('*', 'a.example')],
    ['T04 a bare word', get('foo', 'a.example')],
    ['T04 an at sign', get('@evil/', 'a.example')],
    ['T04 an authority', get('a.example:80', 'a.example')],
    ['T04 a question mark', get('?a', 'a.example')],
    ['T05 a fragment', get('/a#b', 'a.example')],
    ['T05 a fragment alone', get('#b', 'a.example')],
  ])('%s', async (_, bytes) => {
    await rig.refuses(bytes, badRequest);
  });

  test('T03 an authority that is no host', async () => {
    await rig.refuses(get('http://u@a/', 'u@a'), badHost);
  });

  test('T03 the same authority is forwarded by its path', async () => {
    const [request] = await rig.forwards(get('http://A.example/x?y', 'a.example'), [{ target: '/x?y' }]);
    expect(request?.headers.get('host')).toBe('a.example');
  });

  test('T04 OPTIONS * is answered here', async () => {
    const response = await rig.answers('OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n', 200);
    expect(response.headers.get('allow')).toContain('GET');
  });
});
