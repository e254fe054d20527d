import { expect, test } from '@jest/globals';

import { ingress } from '../../test/support/kube-objects.ts';
import { createCompiler } from '../compile/compiler.ts';
import { defaultCompileOptions } from '../compile/compile-options.ts';
import { DiagnosticReport } from '../control/diagnostic-report.ts';
import { ControlLoop } from '../control/loop.ts';
import { ObjectReports } from '../control/object-reports.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { createLog } from '../telemetry/log.ts';
import { observeLoop } from './loop-observer.ts';
import type { LoopListeners } from './loop-observer.ts';
import { Readiness } from './readiness.ts';

test('what a saved snapshot says of objects is served, and reported to nobody', async () => {
  const saved = createSnapshot([ingress('team/gone'), ingress('team/shop')]);
  const live = createSnapshot([ingress('team/shop', 2)]);
  const reports = new ObjectReports();
  const log = createLog({ write: () => undefined }, 'silent');
  const readiness = new Readiness();
  let onSettled: () => void = () => undefined;
  const source = { isSaved: (one: unknown) => one === saved, settled: () => onSettled() };
  const metrics = { compiled: () => undefined, changeLive: () => undefined };
  const listeners = { log, readiness, reports, source, metrics } as unknown as LoopListeners;
  const findings = new DiagnosticReport({ log, locate: () => undefined });
  const loop = new ControlLoop({
    compiler: createCompiler({ ...defaultCompileOptions, ingressClassByName: true }),
    publisher: {
      publish: ({ generation }) =>
        Promise.resolve({ kind: 'live', generation, linkMs: 0, stallMs: 0, closed: [] }),
    },
    observer: observeLoop({ ...listeners, findings }),
  });
  const settled = async (snapshot: typeof saved): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    onSettled = resolve;
    loop.update(snapshot);
    await promise;
  };
  await settled(saved);
  expect([readiness.state.ready, ...reports.reports()]).toEqual([true]);
  await settled(live);
  expect([...reports.reports()]).toMatchObject([{ key: 'team/shop', observedGeneration: 2, owned: true }]);
  reports.stop();
  loop.stop();
});
