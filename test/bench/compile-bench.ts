import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import type { CompileResult } from '../../src/compile/compiler.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { SnapshotStore } from '../../src/model/snapshot-store.ts';
import type { ModelObject } from '../../src/model/snapshot.ts';
import { tableDelta } from '../../src/table/diff-tables.ts';

// What compiling costs on the main thread, in milliseconds: from nothing, and for one change among many.
// Run: node test/bench/compile-bench.ts [ingresses]

const count = Number(process.argv[2] ?? 10_000);
const ROUNDS = 50;
const ROUTE_KEY = 'nginx.ingress.kubernetes.io';

const objects = [
  decode({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'sallyport' },
    spec: { controller: 'sallyport.dev/ingress-controller' },
  }),
  ...Array.from({ length: count }, (_, index) => [
    ingress(index, 60),
    service(index),
    slice(index, 1),
  ]).flat(),
];

const store = new SnapshotStore();
const { snapshot } = store.apply(objects.map((object) => ({ type: 'set', object })));

print('from nothing', repeat(5, () => createCompiler(defaultCompileOptions).compile(snapshot)).times);

const compiler = createCompiler(defaultCompileOptions);
compiler.compile(snapshot);
const changed = repeat(ROUNDS, (round) => change(ingress(round * 7, 61 + round)));
print('one Ingress changed', changed.times);
const endpoints = repeat(ROUNDS, (round) => change(slice(round * 11, 2 + round)));
print('one EndpointSlice changed', endpoints.times);
const live = { generation: 1, ...endpoints.last.table };
const diffed = repeat(ROUNDS, (round) => {
  const compile = change(ingress(round * 13, 200 + round));
  return () => {
    const result = compile();
    tableDelta(live, { generation: 2, ...result.table });
    return result;
  };
});
print('one changed, and its delta', diffed.times);
const added = repeat(ROUNDS, (round) => change(ingress(count + round, 60)));
print('one Ingress added', added.times);

/** Fails loudly when the bench measures nothing. */
for (const [name, { last }] of Object.entries({ changed, endpoints, added })) {
  const edits = Object.values(last.changes).reduce((sum, { set }) => sum + set.length, 0);
  if (edits === 0) throw new Error(`${name}: the last round changed nothing`);
}
process.stdout.write(`${last(changed).table.routes.size} routes\n`);

function last({ last: result }: { readonly last: CompileResult }): CompileResult {
  return result;
}

/** The store's own work is left out: it is done before the clock starts. */
function change(object: ModelObject): () => CompileResult {
  const update = store.apply([{ type: 'set', object }]);
  return () => compiler.compile(update.snapshot, update.changed);
}

function repeat(
  rounds: number,
  work: (round: number) => CompileResult | (() => CompileResult),
): { readonly times: readonly number[]; readonly last: CompileResult } {
  const times: number[] = [];
  let result: CompileResult | undefined;
  for (let round = 0; round < rounds; round++) {
    let start = performance.now();
    const made = work(round);
    if (typeof made === 'function') start = performance.now();
    result = typeof made === 'function' ? made() : made;
    times.push(performance.now() - start);
  }
  if (result === undefined) throw new Error('no rounds');
  return { times, last: result };
}

function print(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (ratio: number) => (sorted[Math.floor(ratio * (sorted.length - 1))] ?? 0).toFixed(2);
  process.stdout.write(
    `${what.padEnd(28)} median ${at(0.5).padStart(8)} ms   worst ${at(1).padStart(8)} ms\n`,
  );
}

function ingress(index: number, readTimeout: number): ModelObject {
  return decode({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: `app-${index}`,
      namespace: `team-${index % 100}`,
      annotations: { [`${ROUTE_KEY}/proxy-read-timeout`]: String(readTimeout) },
    },
    spec: {
      ingressClassName: 'sallyport',
      rules: [
        {
          host: `app-${index}.example.com`,
          http: {
            paths: ['/', '/api'].map((path) => ({
              path,
              pathType: 'Prefix',
              backend: { service: { name: `app-${index}`, port: { name: 'http' } } },
            })),
          },
        },
      ],
    },
  });
}

function service(index: number): ModelObject {
  return decode({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `app-${index}`, namespace: `team-${index % 100}` },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  });
}

function slice(index: number, first: number): ModelObject {
  const name = `app-${index}`;
  const addresses = [first, first + 1, first + 2].map((octet) => `10.${index >> 8}.${index & 255}.${octet}`);
  return decode({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-1`,
      namespace: `team-${index % 100}`,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: addresses.map((address) => ({ addresses: [address] })),
  });
}

function decode(raw: object): ModelObject {
  const { object, diagnostics } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error(`decoding: ${JSON.stringify(diagnostics)}`);
  return object;
}
