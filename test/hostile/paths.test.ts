import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { requestHeaders } from '../../src/filters/request-headers.ts';
import { rewritePath } from '../../src/filters/rewrite-path.ts';
import type { FilterSpec } from '../../src/filters/filter.ts';
import type { FilterConfig } from '../../src/table/route-table.ts';
import { parseRouteFilter } from '../support/filter-harness.ts';
import { HostileRig } from '../support/hostile-harness.ts';
import type { HostileRigOptions, Refusal } from '../support/hostile-harness.ts';

// Paths: what is matched is what is forwarded, in one normal form (RFC 3986 §6.2.2). Names begin with the row of the
// corpus. A field that each route sets tells which one matched.

let rig: HostileRig;
let lenient: HostileRig;

const routes: NonNullable<HostileRigOptions['routes']> = [
  { filters: [mark('root')] },
  { path: '/b', filters: [mark('b')] },
  { path: '/admin', filters: [mark('admin')] },
  {
    host: 'strip.example',
    path: '/api',
    filters: [mark('strip'), filter(rewritePath, { replacePrefix: '/' })],
  },
  {
    host: 'regex.example',
    filters: [mark('regex'), filter(rewritePath, { regex: { pattern: '/x(.*)', substitution: '/$1' } })],
  },
  { host: 'element.example', path: '/foo', filters: [mark('element')] },
  { host: 'exact.example', path: '=/foo', filters: [mark('exact')] },
];

beforeAll(async () => {
  rig = await HostileRig.start({ routes });
  lenient = await HostileRig.start({ routes, settings: { allowEncodedSlashes: true } });
});

afterAll(async () => {
  await rig.stop();
  await lenient.stop();
});

const badPath: Refusal = { status: 400, code: 'SP_BAD_PATH' };
const badRequest: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };

function filter<T>(spec: FilterSpec<T>, value: unknown): FilterConfig {
  return { name: spec.name, config: parseRouteFilter(spec, value).config };
}

function mark(route: string): FilterConfig {
  return filter(requestHeaders, { set: [{ name: 'X-Route', value: route }] });
}

function get(path: string, host = 'a.example'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

/** The request must be forwarded as this target, by this route. */
async function forwards(on: HostileRig, bytes: string, target: string, route: string): Promise<void> {
  const [request] = await on.forwards(bytes, [{ method: 'GET', target }]);
  expect(request?.headers.get('x-route')).toBe(route);
}

describe('resolved, then matched, and forwarded as matched', () => {
  test.each([
    ['P01 /a/../b', '/a/../b', '/b', 'b'],
    ['P01 %2e%2e', '/a/%2e%2e/b', '/b', 'b'],
    ['P01 %2E. mixed', '/a/%2E./b', '/b', 'b'],
    ['P01 .%2e mixed', '/a/.%2e/b', '/b', 'b'],
    ['P01 a trailing /..', '/b/..', '/', 'root'],
    ['P01 a trailing /%2e%2e', '/b/%2e%2e', '/', 'root'],
    ['P01 a trailing /.', '/b/.', '/b/', 'b'],
    ['P01 above the root', '/../../b', '/b', 'b'],
    ['P01 dots in the query stay', '/a/../b?x=/../y', '/b?x=/../y', 'b'],
    ['P01 three dots are a name', '/.../b', '/.../b', 'root'],
    ['P01 an encoded letter', '/%61dmin', '/admin', 'admin'],
    ['P05 a double encoding', '/a/%252e%252e/b', '/a/%252e%252e/b', 'root'],
    ['P05 a doubly encoded slash', '/b%252fc', '/b%252fc', 'root'],
    ['P07 //admin', '//admin', '/admin', 'admin'],
    ['P07 /a//b', '/a//b', '/a/b', 'root'],
    ['P07 ///', '///', '/', 'root'],
    ['P11 /admin;x', '/admin;x', '/admin;x', 'root'],
    ['P11 /admin/;/', '/admin/;/', '/admin/;/', 'admin'],
    ['P11 /a/..;/admin', '/a/..;/admin', '/a/..;/admin', 'root'],
  ])('%s', async (_, path, target, route) => {
    await forwards(rig, get(path), target, route);
  });
});

describe('refused', () => {
  test.each([
    ['P02 %2f', '/a%2fb'],
    ['P02 %2F', '/a%2Fb'],
    ['P02 ..%2f', '/a/..%2fadmin'],
    ['P03 a backslash', '/a\\b'],
    ['P03 a backslash after dots', '/a/..\\admin'],
    ['P03 %5c', '/a%5cb'],
    ['P03 ..%5C', '/a/..%5Cadmin'],
    ['P04 %00', '/a%00b'],
    ['P04 %0d%0a', '/a%0d%0aX:b'],
    ['P04 %7f', '/a%7f'],
    ['P04 %zz', '/a%zz'],
    ['P04 % at the end', '/a%'],
    ['P04 half a triplet', '/a%4'],
    ['P06 %c0%af', '/a%c0%af..'],
    ['P06 %e0%80%af', '/a%e0%80%af'],
    ['P06 a surrogate', '/a%ed%a0%80'],
    ['P06 a lone continuation', '/a%80'],
    ['P06 a cut sequence', '/a%c3'],
  ])('%s', async (_, path) => {
    await rig.refuses(get(path), badPath);
  });

  test.each([
    ['P06 a raw é in UTF-8', '/caf\xc3\xa9'],
    ['P06 a raw é in latin1', '/caf\xe9'],
  ])('%s', async (_, path) => {
    await rig.refuses(get(path), badRequest);
  });
});

describe('encoded slashes that are let in', () => {
  test.each([
    ['P02 %2f stays as it is', '/b%2fc', '/b%2Fc', 'root'],
    ['P02 %5c stays as it is', '/b%5cc', '/b%5Cc', 'root'],
    ['P02 it ends no segment', '/admin%2fx', '/admin%2Fx', 'root'],
  ])('%s', async (_, path, target, route) => {
    await forwards(lenient, get(path), target, route);
  });

  test.each([
    ['P02 ..%2f', '/a/..%2fadmin'],
    ['P02 %2e%2e%2f', '/a/%2e%2e%2fadmin'],
    ['P02 %2f..', '/a%2f../admin'],
    ['P03 ..%5c', '/a/..%5cadmin'],
  ])('%s is refused all the same', async (_, path) => {
    await lenient.refuses(get(path), badPath);
  });
});

describe('below a stripped prefix', () => {
  test.each([
    ['P08 /api../admin', '/api../admin'],
    ['P08 /apix', '/apix'],
    ['P08 /api%2e%2e/', '/api%2e%2e/'],
    ['P08 /api/../admin', '/api/../admin'],
    ['P08 /api/%2e%2e/admin', '/api/%2e%2e/admin'],
    ['P08 /API/x', '/API/x'],
  ])('%s is not', async (_, path) => {
    // The host has no other route, and its requests do not fall through to another host's.
    await rig.answers(get(path, 'strip.example'), 404);
  });

  test.each([
    ['P08 /api', '/api', '/'],
    ['P08 /api/', '/api/', '/'],
    ['P08 /api/x', '/api/x', '/x'],
    ['P08 /api//x', '/api//x', '/x'],
    ['P08 //api/x', '//api/x', '/x'],
    ['P08 /api/..x', '/api/..x', '/..x'],
    ['P08 /api/api/x', '/api/api/x', '/api/x'],
  ])('%s is', async (_, path, target) => {
    await forwards(rig, get(path, 'strip.example'), target, 'strip');
  });
});

describe('rewritten by a regex', () => {
  test.each([
    ['P09 to dots', '/x..'],
    ['P09 to dots before a segment', '/x../admin'],
    ['P09 to another host', '/x/evil.example'],
    ['P09 to a dot', '/x./a'],
  ])('%s: refused', async (_, path) => {
    await rig.answers(get(path, 'regex.example'), 400);
  });

  test('P09 to a normal path', async () => {
    await forwards(rig, get('/xa/b', 'regex.example'), '/a/b', 'regex');
  });
});

describe('by element', () => {
  test.each([
    ['P10 /foobar under the prefix /foo', '/foobar', 'element.example'],
    ['P10 /FOO under the prefix /foo', '/FOO', 'element.example'],
    ['P10 /fo under the prefix /foo', '/fo', 'element.example'],
    ['P10 /foo/ at the exact /foo', '/foo/', 'exact.example'],
    ['P10 /Foo at the exact /foo', '/Foo', 'exact.example'],
    ['P10 /foo;x at the exact /foo', '/foo;x', 'exact.example'],
  ])('%s does not match', async (_, path, host) => {
    await rig.answers(get(path, host), 404);
  });

  test.each([
    ['P10 /foo under the prefix /foo', '/foo', 'element.example', 'element'],
    ['P10 /foo/ under the prefix /foo', '/foo/', 'element.example', 'element'],
    ['P10 /foo/bar under the prefix /foo', '/foo/bar', 'element.example', 'element'],
    ['P10 /foo at the exact /foo', '/foo', 'exact.example', 'exact'],
  ])('%s matches', async (_, path, host, route) => {
    await forwards(rig, get(path, host), path, route);
  });
});
