import fc from 'fast-check';
import type { MatchRequest } from '../../src/proxy/linked-table.ts';
import { sealEntry } from '../../src/table/entry-digest.ts';
import type { Conditions, PathMatch, TableRoute, ValueMatch } from '../../src/table/route-table.ts';
import { HeaderList } from '../../src/util/header-list.ts';

// Random routes that collide often: few hosts, few path elements, few names and values.

const hostPatterns = ['a.example', 'b.example', 'x.a.example', '*.example', '*.a.example', ''];
export const hosts = [
  'a.example',
  'b.example',
  'c.example',
  'x.a.example',
  'y.a.example',
  'other',
  '192.0.2.7',
];

const element = fc.constantFrom('a', 'ab', 'abc', 'b', 'b.c', 'a%20b', 'x');
export const anyPath = fc
  .tuple(fc.array(element, { maxLength: 4 }), fc.boolean())
  .map(([elements, slash]) => `/${elements.join('/')}${slash && elements.length > 0 ? '/' : ''}`);

const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  { weight: 3, arbitrary: anyPath.map((value): PathMatch => ({ type: 'exact', value })) },
  {
    weight: 5,
    arbitrary: fc
      .array(element, { maxLength: 3 })
      .map((elements): PathMatch => ({ type: 'prefix', value: `/${elements.join('/')}` })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('/a.*', '/[ab]/.*', '/(a|b)+', '.*/abc/?', '/b\\.c/?.*', '/x', '/[^/]*')
      .map((value): PathMatch => ({ type: 'regex', value })),
  },
);

const valueMatch = (name: string): fc.Arbitrary<ValueMatch> =>
  fc.oneof(
    fc.constantFrom('1', '2').map((value) => ({ name, type: 'exact' as const, value })),
    fc.constantFrom('[12]', '2.*').map((value) => ({ name, type: 'regex' as const, value })),
    fc.constantFrom('present' as const, 'absent' as const).map((type) => ({ name, type, value: '' })),
  );
const values = fc.uniqueArray(fc.constantFrom('u', 'v').chain(valueMatch), {
  selector: ({ name }) => name,
  minLength: 1,
  maxLength: 2,
});

const conditions: fc.Arbitrary<Conditions | undefined> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        methods: fc.subarray(['GET', 'POST'], { minLength: 1 }),
        headers: values,
        query: values,
        cookies: values,
        sources: fc.subarray(['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32'], { minLength: 1 }),
      },
      { requiredKeys: [] },
    ),
  },
);

/** Routes with ids `r0` … in random order of age. */
export const anyRoutes: fc.Arbitrary<readonly TableRoute[]> = fc
  .array(
    fc.record({
      hosts: fc.uniqueArray(fc.constantFrom(...hostPatterns), { minLength: 1, maxLength: 3 }),
      path: pathMatch,
      conditions,
      rank: fc.constantFrom('1', '2', '3', '4'),
    }),
    { minLength: 1, maxLength: 24 },
  )
  .map((shapes) => shapes.map((shape, index) => respondingRoute(`r${index}`, shape)));

export interface RouteShape {
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  readonly conditions?: Conditions | undefined;
  readonly rank: string;
}

/** A route that answers by itself, which is all that matching needs. */
export function respondingRoute(id: string, { conditions: asked, ...shape }: RouteShape): TableRoute {
  return sealEntry<TableRoute>('routes', {
    id,
    ...shape,
    ...(asked === undefined ? {} : { conditions: asked }),
    filters: [],
    action: { kind: 'respond', code: 'SP_NO_ENDPOINTS' },
    origin: { kind: 'Route', namespace: 'n', name: id, field: 'spec.rules[0]', service: '' },
  });
}

/** Requests that differ in everything but host and path. */
export const variants: readonly Omit<MatchRequest, 'host' | 'path'>[] = [
  { method: 'GET', query: '', headers: fields(), clientAddress: '198.51.100.1' },
  { method: 'POST', query: '?u=1&v=2', headers: fields(), clientAddress: '10.1.2.3' },
  { method: 'GET', query: '?u=9&u=%32', headers: fields(['U', '9'], ['u', '2']), clientAddress: '192.0.2.1' },
  {
    method: 'POST',
    query: '?v',
    headers: fields(['V', '1'], ['Cookie', 'u=1; v=3'], ['cookie', 'v=2']),
    clientAddress: '2001:db8::7',
  },
  {
    method: 'PUT',
    query: '?uu=1&v=21',
    headers: fields(['cookie', 'uv=1; u=2']),
    clientAddress: '::ffff:10.0.0.1',
  },
];

function fields(...entries: readonly (readonly [name: string, value: string])[]): HeaderList {
  const list = new HeaderList();
  for (const [name, value] of entries) list.append(name, value);
  return list;
}
