import { describe, expect, test } from '@jest/globals';
import { HeaderList } from '../../util/header-list.ts';
import type { MatchRequest } from '../linked-table.ts';
import { compileConditions, firstFailing } from './conditions.ts';
import { anyCookie, firstCookie } from './cookies.ts';
import { anyQueryValue } from './query-values.ts';

function fields(...entries: readonly (readonly [string, string])[]): HeaderList {
  const list = new HeaderList();
  for (const [name, value] of entries) list.append(name, value);
  return list;
}

function cookies(name: string, ...values: string[]): string[] {
  const found: string[] = [];
  anyCookie(
    fields(...values.map((value) => ['Cookie', value] as const)),
    name,
    (value) => found.push(value) < 0,
  );
  return found;
}

function query(text: string, name: string): string[] {
  const found: string[] = [];
  anyQueryValue(text, name, (value) => found.push(value) < 0);
  return found;
}

describe('cookies', () => {
  test.each([
    ['a=1', ['1']],
    ['b=2; a=1', ['1']],
    ['b=2;a=1;c=3', ['1']],
    ['a=1; a=2', ['1', '2']],
    ['aa=2; ba=3', []],
    ['a', []],
    ['a=', ['']],
    ['\ta=1 \t; x', ['1']],
    ['a="1 2"', ['"1 2"']],
    ['a=b=c', ['b=c']],
    [';;;a=1;', ['1']],
    ['x=a=1', []],
    ['', []],
    [`${'; '.repeat(10_000)}a=1`, ['1']],
  ])('%.30j', (field, values) => {
    expect(cookies('a', field)).toEqual(values);
  });

  test('are read from every field', () => {
    expect(cookies('a', 'b=1; a=1', 'a=2')).toEqual(['1', '2']);
    expect(firstCookie(fields(['cookie', 'b=1'], ['cookie', 'a=2; a=3']), 'a')).toBe('2');
    expect(firstCookie(fields(['x', 'a=1']), 'a')).toBeUndefined();
  });
});

describe('query parameters', () => {
  test.each([
    ['?a=1', ['1']],
    ['?b=1&a=2&a=3', ['2', '3']],
    ['?a', ['']],
    ['?a&b', ['']],
    ['?a=', ['']],
    ['?%61=x%20y+z', ['x y z']],
    ['?a=%c3%a9', ['é']],
    ['?a=%zz', ['%zz']],
    ['?a=b=c', ['b=c']],
    ['?&&=x&a=1&', ['1']],
    ['?b=a&ab=1', []],
    ['?', []],
    ['', []],
  ])('%s', (text, values) => {
    expect(query(text, 'a')).toEqual(values);
  });
});

describe('conditions', () => {
  const request = (headers: HeaderList, over: Partial<MatchRequest> = {}): MatchRequest => ({
    method: 'GET',
    host: 'a.example',
    path: '/',
    query: '',
    headers,
    clientAddress: '192.0.2.1',
    ...over,
  });

  test('any value of a header counts', () => {
    const checks = compileConditions({ headers: [{ name: 'x-role', type: 'exact', value: 'admin' }] });
    expect(firstFailing(checks, request(fields(['X-Role', 'user'], ['x-role', 'admin'])))).toBe(-1);
    expect(firstFailing(checks, request(fields(['X-Role', 'user, admin'])))).toBe(0);
    expect(firstFailing(checks, request(fields(['X-Role', 'Admin'])))).toBe(0);
    expect(firstFailing(checks, request(fields(['X-Roles', 'admin'])))).toBe(0);
  });

  test('fields of an earlier request of the same list do not count', () => {
    const list = fields(['x', '1'], ['cookie', 'u=1'], ['y', '2']);
    list.clear();
    list.append('y', '2');
    const header = compileConditions({ headers: [{ name: 'x', type: 'present', value: '' }] });
    const cookie = compileConditions({ cookies: [{ name: 'u', type: 'present', value: '' }] });
    expect([header, cookie].map((checks) => firstFailing(checks, request(list)))).toEqual([0, 0]);
    expect(firstCookie(list, 'u')).toBeUndefined();
  });

  test('patterns match whole values', () => {
    const checks = compileConditions({ headers: [{ name: 'x', type: 'regex', value: 'v[12]' }] });
    expect(firstFailing(checks, request(fields(['x', 'v2'])))).toBe(-1);
    expect(firstFailing(checks, request(fields(['x', 'v23'])))).toBe(0);
  });

  test('absent means no field at all', () => {
    const checks = compileConditions({ headers: [{ name: 'x', type: 'absent', value: '' }] });
    expect(firstFailing(checks, request(fields()))).toBe(-1);
    expect(firstFailing(checks, request(fields(['x', ''])))).toBe(0);
  });

  test('the first that fails is told', () => {
    const checks = compileConditions({
      methods: ['GET'],
      query: [
        { name: 'a', type: 'present', value: '' },
        { name: 'b', type: 'exact', value: '2' },
      ],
      sources: ['192.0.2.0/24'],
    });
    const at = (over: Partial<MatchRequest>) => {
      const failing = firstFailing(checks, request(fields(), over));
      return failing < 0 ? 'none' : `${checks[failing]?.kind} ${checks[failing]?.index}`;
    };
    expect(at({ query: '?a&b=2' })).toBe('none');
    expect(at({ query: '?a&b=2', method: 'HEAD' })).toBe('method 0');
    expect(at({ query: '?a&b=1' })).toBe('query 1');
    expect(at({ query: '?a&b=2', clientAddress: '198.51.100.1' })).toBe('source 0');
    expect(at({ query: '?a&b=2', clientAddress: '' })).toBe('source 0');
  });

  test('what cannot be compiled is thrown', () => {
    expect(() => compileConditions({ sources: ['x'] })).toThrow('source "x" is not an address or CIDR');
    expect(() => compileConditions({ headers: [{ name: 'x', type: 'regex', value: '(' }] })).toThrow(
      'pattern "("',
    );
  });
});
