import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { startObjects, storeChange } from '../../test/support/random-objects.ts';
import { SnapshotStore } from '../model/snapshot-store.ts';
import { createTable, emptyTable } from '../table/create-table.ts';
import { applyDelta, tableDelta } from '../table/diff-tables.ts';
import { printTable } from '../table/print-table.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { TableContent } from '../table/table-editor.ts';
import type { LabelSelector } from '../util/label-selector.ts';
import { defaultCompileOptions } from './compile-options.ts';
import type { CompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';
import { listDiagnostics } from './diagnostic-index.ts';

const options: fc.Arbitrary<CompileOptions> = fc.record({
  ...Object.fromEntries(
    Object.entries(defaultCompileOptions).map(([key, value]) => [key, fc.constant(value)]),
  ),
  ingressClassByName: fc.boolean(),
  watchIngressWithoutClass: fc.boolean(),
  allowExternalName: fc.boolean(),
  watchNamespaces: fc.constantFrom(undefined, undefined, ['team-a']),
  namespaceSelector: fc.constantFrom<LabelSelector[]>(
    [],
    [],
    [{ key: 'tier', operator: 'in', values: ['live'] }],
    [{ key: 'tier', operator: 'notIn', values: ['test'] }],
  ),
  defaultBackendService: fc.constantFrom(undefined, 'team-b/one'),
}) as fc.Arbitrary<CompileOptions>;

function numbered(content: TableContent, generation: number): RouteTable {
  return { generation, ...content };
}

describe('incremental compile', () => {
  test('equals a compile from nothing after every one of random edits', () => {
    const edits = fc.array(fc.array(storeChange, { minLength: 1, maxLength: 4 }), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(options, startObjects, edits, fc.boolean(), (settings, start, batches, told) => {
        const store = new SnapshotStore();
        const compiler = createCompiler(settings);
        let before = emptyTable;
        let diagnosticsBefore = new Map<string, unknown>();
        const setStart = start.map((object) => ({ type: 'set' as const, object }));
        for (const [index, batch] of [setStart, ...batches].entries()) {
          const { snapshot, changed } = store.apply(batch);
          const result = compiler.compile(snapshot, told ? changed : undefined);
          const fresh = createCompiler(settings).compile(snapshot);
          const after = numbered(result.table, index + 1);

          expect(text(printTable(after))).toBe(text(printTable(numbered(fresh.table, index + 1))));
          expect(after.digest).toBe(createTable(after).digest);
          expect(text(listDiagnostics(result.diagnostics))).toBe(text(listDiagnostics(fresh.diagnostics)));

          const delta = { base: index, generation: index + 1, digest: after.digest, ...result.changes };
          expect(text(sorted(delta))).toBe(text(sorted(tableDelta(before, after))));
          const applied = applyDelta(before, delta);
          expect(applied).not.toBe('digest');
          expect(text(printTable(applied as RouteTable))).toBe(text(printTable(after)));

          expect(danglingRefs(after)).toEqual([]);

          expect([...result.references].toSorted()).toEqual([...fresh.references].toSorted());
          for (const kind of ['Ingress', 'Route', 'BackendPolicy'] as const) {
            for (const id of snapshot.objects[kind].keys()) {
              expect(result.isOwned(`${kind}/${id}`)).toBe(fresh.isOwned(`${kind}/${id}`));
            }
          }

          const diagnosticsNow = new Map<string, unknown>(result.diagnostics);
          const differing = [...new Set([...diagnosticsBefore.keys(), ...diagnosticsNow.keys()])].filter(
            (key) => JSON.stringify(diagnosticsBefore.get(key)) !== JSON.stringify(diagnosticsNow.get(key)),
          );
          expect([...result.diagnosticsChanged].toSorted()).toEqual(differing.toSorted());
          before = after;
          diagnosticsBefore = diagnosticsNow;
        }
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

/** References to certificates and authorities that the table does not hold, or holds in another state; and those that nobody refers to. */
function danglingRefs({ upstreams, hosts, certificates, authorities }: RouteTable): readonly string[] {
  const refs = [
    ...[...upstreams.values()].flatMap(({ tls }) => [
      tls?.certificate && { ...tls.certificate, held: certificates },
      tls?.authority && { ...tls.authority, held: authorities },
    ]),
    ...[...hosts.values()].map(
      ({ clientAuth }) => clientAuth?.authority && { ...clientAuth.authority, held: authorities },
    ),
  ].filter((ref) => ref !== undefined);
  const used = new Set(refs.filter(({ held }) => held === authorities).map(({ id }) => id));
  return [
    ...refs.filter(({ id, digest, held }) => held.get(id)?.digest !== digest).map(({ id }) => id),
    ...[...authorities.keys()].filter((id) => !used.has(id)),
  ];
}

/** Compared as text, which is many times faster than by member. */
function text(value: unknown): string {
  return JSON.stringify(value, undefined, 1);
}

/** Orders what a delta says, which is in no particular order. */
function sorted(delta: ReturnType<typeof tableDelta>): unknown {
  const part = ({ set, removed }: { set: readonly { id: string }[]; removed: readonly string[] }) => ({
    set: set.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    removed: removed.toSorted(),
  });
  const { base, generation, digest, routes, hosts, upstreams, endpoints, certificates, authorities } = delta;
  const parts = [routes, hosts, upstreams, endpoints, certificates, authorities];
  return [base, generation, digest, ...parts.map(part)];
}
