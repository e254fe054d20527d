import { describe, expect, test } from '@jest/globals';

import { Metrics } from './metrics.ts';
import { RowAllocator } from './row-allocator.ts';
import { WatchTotals } from './watch-totals.ts';

describe('metrics of what is read from a cluster', () => {
  test('are exposed by kind', async () => {
    let nowMs = 0;
    const totals = new WatchTotals(() => nowMs);
    const metrics = new Metrics({
      version: '1.2.3',
      rows: new RowAllocator({ workers: 1, maxRoutes: 10 }),
      counters: [],
      logLinesDropped: () => 0,
      diagnostics: () => [],
      watching: totals,
    });
    totals.relisted('Ingress');
    totals.objects('Ingress', 5);
    totals.objects('Ingress', -2);
    totals.heard('Ingress');
    totals.garbage('Ingress');
    totals.watchRestarted('Ingress', 'ended');
    totals.watchRestarted('Ingress', 'ended');
    nowMs = 1500;
    let text = '';
    for await (const piece of metrics.text()) text += piece;
    expect(
      text
        .split('\n')
        .filter((line) => line.startsWith('sallyport_kube_'))
        .sort(),
    ).toEqual([
      'sallyport_kube_garbage_total{kind="Ingress"} 1',
      'sallyport_kube_last_event_age_seconds{kind="Ingress"} 1.5',
      'sallyport_kube_objects{kind="Ingress"} 3',
      'sallyport_kube_relists_total{kind="Ingress"} 1',
      'sallyport_kube_watch_restarts_total{kind="Ingress",reason="ended"} 2',
    ]);
  });
});
