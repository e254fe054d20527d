import { requestHeaders } from '../../../src/filters/request-headers.ts';
import { rewritePath } from '../../../src/filters/rewrite-path.ts';
import type { FilterSpec } from '../../../src/filters/filter.ts';
import type { FilterConfig } from '../../../src/table/route-table.ts';
import { parseRouteFilter } from '../../support/filter-harness.ts';
import type { HostileRigOptions } from '../../support/hostile-harness.ts';

// Rows P of the corpus, the same over HTTP/1.1 and HTTP/2: what is matched is what is forwarded, in one normal form
// (RFC 3986 §6.2.2). A field that each route sets tells which one matched.

export const routes: NonNullable<HostileRigOptions['routes']> = [
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

function filter<T>(spec: FilterSpec<T>, value: unknown): FilterConfig {
  return { name: spec.name, config: parseRouteFilter(spec, value).config };
}

function mark(route: string): FilterConfig {
  return filter(requestHeaders, { set: [{ name: 'X-Route', value: route }] });
}

/** Forwarded as this target, by this route. */
export const normalised: readonly [name: string, path: string, target: string, route: string][] = [
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
];

/** 400, SP_BAD_PATH. */
export const badPaths: readonly [name: string, path: string][] = [
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
];

/** 400 before it is looked at as a path. */
export const rawPaths: readonly [name: string, path: string][] = [
  ['P06 a raw é in UTF-8', '/caf\xc3\xa9'],
  ['P06 a raw é in latin1', '/caf\xe9'],
];

/** Where encoded slashes are let in. */
export const keptSlashes: readonly [name: string, path: string, target: string, route: string][] = [
  ['P02 %2f stays as it is', '/b%2fc', '/b%2Fc', 'root'],
  ['P02 %5c stays as it is', '/b%5cc', '/b%5Cc', 'root'],
  ['P02 it ends no segment', '/admin%2fx', '/admin%2Fx', 'root'],
];

/** Refused even there. */
export const badPathsAllTheSame: readonly [name: string, path: string][] = [
  ['P02 ..%2f', '/a/..%2fadmin'],
  ['P02 %2e%2e%2f', '/a/%2e%2e%2fadmin'],
  ['P02 %2f..', '/a%2f../admin'],
  ['P03 ..%5c', '/a/..%5cadmin'],
];

/** 404 on strip.example: the host has no other route, and nothing falls through to another host. */
export const besidePrefix: readonly [name: string, path: string][] = [
  ['P08 /api../admin', '/api../admin'],
  ['P08 /apix', '/apix'],
  ['P08 /api%2e%2e/', '/api%2e%2e/'],
  ['P08 /api/../admin', '/api/../admin'],
  ['P08 /api/%2e%2e/admin', '/api/%2e%2e/admin'],
  ['P08 /API/x', '/API/x'],
];

/** Forwarded by strip.example, without the prefix. */
export const belowPrefix: readonly [name: string, path: string, target: string][] = [
  ['P08 /api', '/api', '/'],
  ['P08 /api/', '/api/', '/'],
  ['P08 /api/x', '/api/x', '/x'],
  ['P08 /api//x', '/api//x', '/x'],
  ['P08 //api/x', '//api/x', '/x'],
  ['P08 /api/..x', '/api/..x', '/..x'],
  ['P08 /api/api/x', '/api/api/x', '/api/x'],
];

/** 400 on regex.example. */
export const badRewrites: readonly [name: string, path: string][] = [
  ['P09 to dots', '/x..'],
  ['P09 to dots before a segment', '/x../admin'],
  ['P09 to another host', '/x/evil.example'],
  ['P09 to a dot', '/x./a'],
];

/** 404. */
export const unmatched: readonly [name: string, path: string, host: string][] = [
  ['P10 /foobar under the prefix /foo', '/foobar', 'element.example'],
  ['P10 /FOO under the prefix /foo', '/FOO', 'element.example'],
  ['P10 /fo under the prefix /foo', '/fo', 'element.example'],
  ['P10 /foo/ at the exact /foo', '/foo/', 'exact.example'],
  ['P10 /Foo at the exact /foo', '/Foo', 'exact.example'],
  ['P10 /foo;x at the exact /foo', '/foo;x', 'exact.example'],
];

/** Forwarded as they are, by this route. */
export const matched: readonly [name: string, path: string, host: string, route: string][] = [
  ['P10 /foo under the prefix /foo', '/foo', 'element.example', 'element'],
  ['P10 /foo/ under the prefix /foo', '/foo/', 'element.example', 'element'],
  ['P10 /foo/bar under the prefix /foo', '/foo/bar', 'element.example', 'element'],
  ['P10 /foo at the exact /foo', '/foo', 'exact.example', 'exact'],
];
