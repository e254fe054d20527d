import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startObjects, storeChange } from '../../test/support/random-objects.ts';
import { defaultCompileOptions } from '../compile/compile-options.ts';
import { createCompiler } from '../compile/compiler.ts';
import type { ObjectReport } from '../kube/status-feed.ts';
import { SnapshotStore } from '../model/snapshot-store.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { ObjectReports } from './object-reports.ts';

const clock = { after: () => () => undefined };

function listOf(reports: ObjectReports): readonly ObjectReport[] {
  const name = ({ kind, key }: ObjectReport): string => `${kind}/${key}`;
  return [...reports.reports()].toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
}

/** What is said of a snapshot by somebody who sees it for the first time. */
function fromNothing(snapshot: Snapshot): readonly ObjectReport[] {
  const reports = new ObjectReports({ clock });
  const result = createCompiler(defaultCompileOptions).compile(snapshot);
  reports.compiled({ result, snapshot, changes: undefined, compileMs: 0 });
  reports.settled(snapshot);
  return listOf(reports);
}

test('reports are the same in whatever steps objects came, and each that differs was told', () => {
  const edits = fc.array(fc.array(storeChange, { minLength: 1, maxLength: 4 }), {
    minLength: 2,
    maxLength: 5,
  });
  fc.assert(
    fc.property(startObjects, edits, fc.array(fc.boolean()), (start, batches, delays) => {
      const store = new SnapshotStore();
      const compiler = createCompiler(defaultCompileOptions);
      const reports = new ObjectReports({ clock });
      /** What a listener knows who reads only what it is told of. */
      const known = new Map<string, ObjectReport>();
      reports.subscribe((changed) => {
        for (const { kind, key } of changed) {
          const report = reports.report(kind, key);
          if (report === undefined) known.delete(`${kind}/${key}`);
          else known.set(`${kind}/${key}`, report);
        }
      });
      const first = start.map((object) => ({ type: 'set' as const, object }));
      for (const [step, batch] of [first, ...batches].entries()) {
        const { snapshot, changed } = store.apply(batch);
        const changes = step === 0 ? undefined : changed;
        reports.compiled({ result: compiler.compile(snapshot, changes), snapshot, changes, compileMs: 0 });
        // Some are overtaken by the next.
        if (step < batches.length && delays[step] === true) continue;
        reports.settled(snapshot);
        const expected = fromNothing(snapshot);
        expect(listOf(reports)).toEqual(expected);
        expect(new Map(expected.map((report) => [`${report.kind}/${report.key}`, report]))).toEqual(known);
      }
    }),
    { numRuns: 60 },
  );
});
