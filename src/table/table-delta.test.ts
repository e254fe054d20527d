import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createTable, emptyTable } from './create-table.ts';
import type { TableParts } from './create-table.ts';
import { applyDelta, isEmptyDelta, tableDelta, wholeTable } from './diff-tables.ts';
import { sealEntry } from './entry-digest.ts';
import { printTable } from './print-table.ts';
import type { EndpointSet, RouteTable, TableCertificate, TableHost } from './route-table.ts';
import { TableEditor } from './table-editor.ts';

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');

/** Three of the five parts are enough: all go through the same code. */
const parts: fc.Arbitrary<Partial<TableParts>> = fc.record({
  hosts: fc
    .uniqueArray(fc.tuple(id, id), { selector: ([key]) => key })
    .map((entries) => byId(entries.map(([key, certificate]) => sealHost(key, certificate)))),
  endpoints: fc
    .uniqueArray(fc.tuple(id, fc.integer({ min: 1, max: 3 })), { selector: ([key]) => key })
    .map((entries) => byId(entries.map(([key, port]) => sealEndpoints(key, port)))),
  certificates: fc
    .uniqueArray(id)
    .map((keys) =>
      byId(
        keys.map((key) =>
          sealEntry<TableCertificate>('certificates', { id: key, certificate: 'c', key: 'k' }),
        ),
      ),
    ),
});

describe('tableDelta and applyDelta', () => {
  test('a delta turns the one table into the other, over the wire too', () => {
    fc.assert(
      fc.property(parts, parts, (from, to) => {
        const before = createTable(from, 7);
        const after = createTable(to, 8);
        const delta = structuredClone(tableDelta(before, after));
        expect(applied(before, delta)).toEqual(printTable(after));
        expect(applied(emptyTable, wholeTable(after))).toEqual(printTable(after));
        expect(isEmptyDelta(delta)).toBe(before.digest === after.digest);
      }),
    );
  });

  test('a whole table replaces whatever was there', () => {
    const table = createTable({ hosts: byId([sealHost('a', 'x')]) }, 3);
    const other = createTable({ hosts: byId([sealHost('b', 'x')]) }, 9);
    expect(applied(other, wholeTable(table))).toEqual(printTable(table));
  });

  test('another base is a mismatch, and so is another result', () => {
    const one = createTable({ hosts: byId([sealHost('a', 'x')]) }, 1);
    const two = createTable({ hosts: byId([sealHost('a', 'y')]) }, 2);
    const delta = tableDelta(one, two);
    expect(applyDelta(createTable({}, 2), delta)).toBe('base');
    expect(applyDelta(createTable({ hosts: byId([sealHost('b', 'x')]) }, 1), delta)).toBe('digest');
  });

  test('leaves parts alone that do not differ', () => {
    const one = createTable(
      { hosts: byId([sealHost('a', 'x')]), endpoints: byId([sealEndpoints('a', 1)]) },
      1,
    );
    const two = createTable({ hosts: one.hosts, endpoints: byId([sealEndpoints('a', 2)]) }, 2);
    const result = applyDelta(one, tableDelta(one, two));
    expect((result as RouteTable).hosts).toBe(one.hosts);
  });
});

describe('digests', () => {
  test('equal content has an equal digest in any order, other content another', () => {
    fc.assert(
      fc.property(parts, parts, (one, two) => {
        const { hosts = new Map<string, TableHost>(), ...rest } = one;
        const reversed = { ...rest, hosts: new Map([...hosts].toReversed()) };
        expect(createTable(reversed).digest).toBe(createTable(one).digest);
        const same =
          JSON.stringify(printTable(createTable(one))) === JSON.stringify(printTable(createTable(two)));
        expect(createTable(one).digest === createTable(two).digest).toBe(same);
      }),
    );
  });

  test('the part counts: one entry in two parts does not cancel out', () => {
    const host = sealEntry<{ id: string; digest: string }>('hosts', { id: 'a' });
    const upstream = sealEntry<{ id: string; digest: string }>('upstreams', { id: 'a' });
    expect(host.digest).not.toBe(upstream.digest);
    expect(host.digest).toMatch(/^[0-9a-f]{16}$/);
  });

  test('entries are frozen throughout', () => {
    const { endpoints } = sealEndpoints('a', 1);
    expect(() => Object.assign(endpoints[0] ?? {}, { port: 2 })).toThrow(TypeError);
  });
});

describe('TableEditor', () => {
  test('any sequence of edits ends at the table made at once, and tells the difference', () => {
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 5 }), (steps) => {
        const editor = new TableEditor();
        let before = emptyTable;
        for (const [index, step] of steps.entries()) {
          const wanted = createTable(step, index + 1);
          for (const part of ['hosts', 'endpoints', 'certificates'] as const) {
            for (const key of before[part].keys()) editor.edit(part, key, undefined);
            for (const [key, entry] of wanted[part]) editor.edit(part, key, entry);
          }
          const { table, changes } = editor.commit();
          expect(printTable({ generation: index + 1, ...table })).toEqual(printTable(wanted));
          const delta = { base: index, generation: index + 1, digest: table.digest, ...changes };
          expect(applied(before, delta)).toEqual(printTable(wanted));
          before = wanted;
        }
      }),
    );
  });

  test('an entry that is set to what it was is no change and stays the same object', () => {
    const editor = new TableEditor();
    editor.edit('hosts', 'a', sealHost('a', 'x'));
    const first = editor.commit();
    editor.edit('hosts', 'a', sealHost('a', 'x'));
    const second = editor.commit();
    expect(second.changes.hosts).toEqual({ set: [], removed: [] });
    expect(second.table.hosts).toBe(first.table.hosts);
  });
});

describe('printTable', () => {
  test('shows neither certificates nor keys', () => {
    const secret = sealEntry<TableCertificate>('certificates', { id: 'a', certificate: 'CERT', key: 'KEY' });
    const text = JSON.stringify(printTable(createTable({ certificates: byId([secret]) })));
    expect(text).not.toMatch(/CERT|KEY/);
    expect(text).toContain(secret.digest);
  });
});

function applied(table: RouteTable, delta: ReturnType<typeof tableDelta>): unknown {
  const result = applyDelta(table, delta);
  return typeof result === 'string' ? result : printTable(result);
}

function sealHost(key: string, certificate: string): TableHost {
  return sealEntry<TableHost>('hosts', { id: key, certificate });
}

function sealEndpoints(key: string, port: number): EndpointSet {
  return sealEntry<EndpointSet>('endpoints', {
    id: key,
    endpoints: [{ address: '10.0.0.1', port, weight: 1 }],
  });
}

function byId<T extends { readonly id: string }>(entries: readonly T[]): ReadonlyMap<string, T> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}
