import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defaultRetry, defaultTimeouts } from '../table/exchange-defaults.ts';
import type { Forward, Split, SplitOverride } from '../table/route-table.ts';
import { HeaderList } from '../util/header-list.ts';
import type { LinkedBackend, LinkedRoute, MatchRequest } from './linked-table.ts';
import { WeightedSplitter, chooseBackend, createSplitter } from './split.ts';

interface Shape {
  readonly weight: number;
  readonly endpoints?: number;
  readonly fallback?: number;
  readonly name?: string;
}

function backends(shapes: readonly Shape[]): readonly LinkedBackend[] {
  return shapes.map(({ weight, endpoints = 1, fallback, name }, index) => ({
    upstream: {
      id: name ?? `n/s${index}:80`,
      endpointCount: endpoints,
      update: () => undefined,
      retire: () => undefined,
    },
    weight,
    role: index === 0 ? 'stable' : 'canary',
    fallback,
    timeouts: defaultTimeouts,
    retry: defaultRetry,
    metrics: { record: () => undefined, retried: () => undefined },
  }));
}

function forward(split: Split = { by: 'random' }, overrides: readonly SplitOverride[] = []): Forward {
  return { backends: [], overrides, split };
}

function request(
  fields: readonly (readonly [string, string])[] = [],
  clientAddress = '192.0.2.1',
): MatchRequest {
  const headers = new HeaderList();
  for (const [name, value] of fields) headers.append(name, value);
  return { method: 'GET', host: 'a.example', path: '/', query: '', headers, clientAddress };
}

/** Fractions spread evenly over [0, 1), none of them at the border of a share. */
function spread(count: number): () => number {
  let step = 0;
  return () => ((step++ % count) + 0.5) / count;
}

function place(list: readonly LinkedBackend[], chosen: LinkedBackend | undefined): number {
  return chosen === undefined ? -1 : list.indexOf(chosen);
}

describe('weights', () => {
  test('one backend serves everything and needs no splitter', () => {
    const list = backends([{ weight: 5 }]);
    const splitter = createSplitter(forward(), list);
    expect(splitter).toBeUndefined();
    const route = { backends: list, splitter } as unknown as LinkedRoute;
    expect(chooseBackend(route, request(), () => 0.5)).toBe(list[0]);
  });

  test('a route without backends has none to choose', () => {
    const route = { backends: [], splitter: undefined } as unknown as LinkedRoute;
    expect(chooseBackend(route, request(), () => 0)).toBeUndefined();
  });

  test('a random split is exactly as fair as its numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 2, maxLength: 5 }), (weights) => {
        const list = backends(weights.map((weight) => ({ weight })));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const splitter = new WeightedSplitter(forward(), list);
        const counts = weights.map(() => 0);
        const random = spread(total);
        for (let pick = 0; pick < total; pick++) {
          const index = place(list, splitter.choose(request(), random));
          counts[index] = (counts[index] ?? 0) + 1;
        }
        expect(counts).toEqual(weights);
      }),
    );
  });

  test('the ends of the range stay inside', () => {
    const list = backends([{ weight: 0 }, { weight: 1 }, { weight: 0 }]);
    const splitter = new WeightedSplitter(forward(), list);
    expect(splitter.choose(request(), () => 0)).toBe(list[1]);
    expect(splitter.choose(request(), () => 1 - Number.EPSILON)).toBe(list[1]);
  });

  test('nothing serves when every weight is 0', () => {
    expect(createSplitter(forward(), backends([{ weight: 0 }]))?.choose(request(), () => 0)).toBeUndefined();
  });
});

describe('sticky splits', () => {
  test.each<[Split, (key: string) => MatchRequest]>([
    [{ by: 'address' }, (key) => request([], key)],
    [{ by: 'header', name: 'x-user' }, (key) => request([['X-User', key]])],
    [{ by: 'cookie', name: 'user' }, (key) => request([['Cookie', `a=1; user=${key}`]])],
  ])('%j: the same client gets the same backend, clients are shared out by weight', (split, ask) => {
    const weights = [70, 20, 10];
    const list = backends(weights.map((weight) => ({ weight })));
    const splitter = new WeightedSplitter(forward(split), list);
    const never = () => {
      throw new Error('a sticky choice is not random');
    };
    const counts = weights.map(() => 0);
    const clients = 5000;
    for (let client = 0; client < clients; client++) {
      const chosen = splitter.choose(ask(`client-${client}`), never);
      expect(splitter.choose(ask(`client-${client}`), never)).toBe(chosen);
      const index = place(list, chosen);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    // Four standard deviations of a binomial share.
    for (const [index, weight] of weights.entries()) {
      const share = weight / 100;
      const tolerance = 4 * Math.sqrt((share * (1 - share)) / clients);
      expect(Math.abs((counts[index] ?? 0) / clients - share)).toBeLessThan(tolerance);
    }
  });

  test('a weight that grows takes clients and gives none away', () => {
    fc.assert(
      fc.property(
        fc.nat(90),
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.string({ minLength: 1 }), { minLength: 20 }),
        (weight, more, keys) => {
          const old = backends([{ weight: 50 }, { weight }, { weight: 30 }]);
          const grown = backends([{ weight: 50 }, { weight: weight + more }, { weight: 30 }]);
          const split: Split = { by: 'address' };
          const before = new WeightedSplitter(forward(split), old);
          const after = new WeightedSplitter(forward(split), grown);
          for (const key of keys) {
            const from = place(
              old,
              before.choose(request([], key), () => 0),
            );
            const to = place(
              grown,
              after.choose(request([], key), () => 0),
            );
            expect([from, 1]).toContain(to);
          }
        },
      ),
    );
  });

  test('moving a backend in the list moves no client', () => {
    const list = backends([{ weight: 1 }, { weight: 2 }, { weight: 3 }]);
    const moved = [...list].reverse();
    for (let client = 0; client < 200; client++) {
      const ask = request([], `10.0.0.${client}`);
      const split = forward({ by: 'address' });
      const here = new WeightedSplitter(split, list).choose(ask, () => 0);
      expect(new WeightedSplitter(split, moved).choose(ask, () => 0)).toBe(here);
    }
  });

  test.each<[Split]>([[{ by: 'header', name: 'x-user' }], [{ by: 'cookie', name: 'user' }]])(
    '%j: a request without it is split at random',
    (split) => {
      const list = backends([{ weight: 1 }, { weight: 1 }]);
      const splitter = new WeightedSplitter(forward(split), list);
      const ask = request([['Cookie', 'user=']]);
      expect(
        [0.1, 0.9].map((at) =>
          place(
            list,
            splitter.choose(ask, () => at),
          ),
        ),
      ).toEqual([0, 1]);
    },
  );
});

describe('overrides', () => {
  const overrides: readonly SplitOverride[] = [
    { source: 'header', name: 'x-canary', type: 'exact', value: 'always', backend: 1 },
    { source: 'header', name: 'x-canary', type: 'exact', value: 'never', backend: 0 },
    { source: 'cookie', name: 'canary', type: 'exact', value: 'always', backend: 1 },
    { source: 'header', name: 'x-region', type: 'regex', value: 'eu|us', backend: 1 },
  ];
  const list = backends([{ weight: 1 }, { weight: 0 }]);
  const splitter = new WeightedSplitter(forward({ by: 'random' }, overrides), list);

  test.each([
    [[['X-Canary', 'always']], 1],
    [[['X-Canary', 'maybe']], 0],
    [
      [
        ['X-Canary', 'maybe'],
        ['x-canary', 'always'],
      ],
      1,
    ],
    [
      [
        ['X-Canary', 'never'],
        ['Cookie', 'canary=always'],
      ],
      0,
    ],
    [[['Cookie', 'x=1;canary=always ; y']], 1],
    [[['Cookie', 'canary=alwaysnot']], 0],
    [[['X-Region', 'west-eu-1']], 1],
    [[], 0],
  ] as const)('%j goes to backend %i', (fields, index) => {
    expect(
      place(
        list,
        splitter.choose(request(fields), () => 0.5),
      ),
    ).toBe(index);
  });
});

describe('fallbacks', () => {
  test('a backend without endpoints gives way, once around at most', () => {
    const list = backends([
      { weight: 0, endpoints: 0, fallback: 1 },
      { weight: 1, endpoints: 0, fallback: 2 },
      { weight: 0 },
    ]);
    expect(new WeightedSplitter(forward(), list).choose(request(), () => 0)).toBe(list[2]);
    const circle = backends([
      { weight: 1, endpoints: 0, fallback: 1 },
      { weight: 1, endpoints: 0, fallback: 0 },
    ]);
    expect(new WeightedSplitter(forward(), circle).choose(request(), () => 0)?.upstream.endpointCount).toBe(
      0,
    );
  });

  test('without a fallback it is chosen all the same', () => {
    const list = backends([{ weight: 1, endpoints: 0 }, { weight: 1 }]);
    expect(new WeightedSplitter(forward(), list).choose(request(), () => 0)).toBe(list[0]);
  });
});

test('inspect tells what choose does', () => {
  const shape = fc.record({
    weight: fc.nat(4),
    endpoints: fc.nat(1),
    fallback: fc.option(fc.nat(2), { nil: undefined }),
  });
  const splits = fc.constantFrom<Split>({ by: 'random' }, { by: 'header', name: 'x-user' });
  const overrides = fc.constantFrom<readonly SplitOverride[]>(
    [],
    [{ source: 'header', name: 'x-user', type: 'exact', value: 'u', backend: 2 }],
  );
  fc.assert(
    fc.property(
      fc.tuple(shape, shape, shape),
      splits,
      overrides,
      fc.constantFrom('u', 'v', ''),
      (shapes, split, over, user) => {
        const list = backends(
          shapes.map(({ fallback, ...rest }) => (fallback === undefined ? rest : { ...rest, fallback })),
        );
        const splitter = new WeightedSplitter(forward(split, over), list);
        const ask = request([['x-user', user]]);
        const counts = list.map(() => 0);
        const total = list.reduce((sum, { weight }) => sum + weight, 0) || 1;
        const random = spread(total);
        for (let pick = 0; pick < total; pick++) {
          const index = place(list, splitter.choose(ask, random));
          if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
        }
        const { shares } = splitter.inspect(ask);
        expect(shares.map((share) => Math.round(share * total))).toEqual(counts);
      },
    ),
  );
});
