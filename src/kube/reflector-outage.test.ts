import { afterEach, describe, expect, test } from '@jest/globals';

import { ingress, startReflectorRig, startSyncedRig } from '../../test/support/reflector-rig.ts';
import type { ReflectorRig, RigOptions } from '../../test/support/reflector-rig.ts';
import { resources } from './resources.ts';

let rig: ReflectorRig;

/** With Ingresses that are there from the beginning. */
async function startSynced(options: RigOptions = {}) {
  const synced = await startSyncedRig(['a', 'b'], options);
  rig = synced;
  return synced;
}

afterEach(() => rig.close());

describe('an API server that goes away', () => {
  test('and comes back: what was read stays, then only differences are told', async () => {
    const { api, sink, metrics } = await startSynced();
    await api.vanish();
    await sink.until('stalled unreachable');
    api.put('Ingress', ingress('c'));
    api.remove('Ingress', 'web/a');
    expect(sink.objects.size).toBe(2);
    await api.comeBack();
    expect((await sink.until('delete web/a')).slice(-3)).toEqual(['recovered', 'set web/c', 'delete web/a']);
    expect(metrics.relists).toBe(1);
  });

  test('before the first list: nothing is told but why, until it is there', async () => {
    rig = await startReflectorRig({
      prepare: (api) => {
        api.put('Ingress', ingress('a'));
        api.fault({ verb: 'list', times: 2 }, { cutAfterBytes: 0 });
      },
    });
    expect(await rig.sink.until('synced')).toEqual([
      'stalled unreachable',
      'set web/a',
      'recovered',
      'synced',
    ]);
  });
});

describe('an API server that was away for long', () => {
  test('is asked for every few seconds, and at once again when it answers without a meaning', async () => {
    const { api, sink, clock } = await startSynced();
    await api.vanish();
    // oxlint-disable-next-line no-await-in-loop -- pauses pass by themselves
    while (clock.pauses.length < 12) await new Promise((resolve) => setImmediate(resolve));
    const away = clock.pauses.slice();
    expect(away.slice(0, 4)).toEqual([550, 1500, 2250, 2250]);
    expect(Math.max(...away)).toBe(2250);
    api.fault({ times: 2 }, { answer: { status: 503, body: 'starting' } });
    api.put('Ingress', ingress('c'));
    await api.comeBack();
    await sink.until('set web/c');
    expect(clock.pauses.slice(-2)).toEqual([550, 1500]);
  });

  test('and refuses everybody while it starts: that is no news, and does not last', async () => {
    const { api, sink, clock } = await startSynced();
    await api.vanish();
    await sink.until('stalled unreachable');
    const away = clock.pauses.length;
    api.fault({ times: 11 }, { answer: { status: 403, body: { message: 'who are you' } } });
    api.put('Ingress', ingress('c'));
    await api.comeBack();
    expect(await sink.until('set web/c')).not.toContain('stalled forbidden');
    expect(clock.pauses.length - away).toBeGreaterThanOrEqual(11);
    expect(Math.max(...clock.pauses)).toBe(2250);
  });

  test('at the start, and refuses: a reason not to be ready, that is looked at again soon', async () => {
    rig = await startReflectorRig({
      prepare: (api) => {
        api.put('Ingress', ingress('a'));
        api.fault({ verb: 'list', times: 3 }, { answer: { status: 403, body: 'not yet' } });
      },
    });
    expect(await rig.sink.until('synced')).toEqual(['stalled forbidden', 'set web/a', 'recovered', 'synced']);
    expect(rig.clock.pauses).toEqual([550, 1500, 3000]);
  });
});

describe('a cluster that was set back to a backup', () => {
  test('while it was away: what the backup has holds again, also under a version that was seen before', async () => {
    const { api, sink } = await startSynced();
    const backup = api.store.backup();
    api.put('Ingress', ingress('a', { path: '/lost' }));
    api.put('Ingress', ingress('c'));
    await sink.until('set web/c');
    const before = sink.objects.get('web/a')?.meta.resourceVersion;
    await api.vanish();
    await sink.until('stalled unreachable');
    api.store.restore(backup);
    // The same number as the lost change had, with another content.
    api.put('Ingress', ingress('a', { path: '/again' }));
    await api.comeBack();
    const told = await sink.until('synced');
    expect(told.slice(-5)).toEqual(['set web/a', 'set web/b', 'delete web/c', 'recovered', 'synced']);
    const restored = sink.objects.get('web/a');
    expect(restored).toMatchObject({ rules: [{ paths: [{ path: '/again' }] }] });
    expect(restored?.meta.resourceVersion).not.toBe(before);
  });

  test('goes on being watched from there', async () => {
    const { api, sink } = await startSynced();
    const backup = api.store.backup();
    api.store.passVersions(1000);
    api.put('Ingress', ingress('c'));
    await sink.until('set web/c');
    await api.vanish();
    await sink.until('stalled unreachable');
    api.store.restore(backup);
    await api.comeBack();
    await sink.until('synced');
    await api.watch('ingresses');
    api.put('Ingress', ingress('a', { path: '/next' }));
    await sink.until('set web/a');
    api.remove('Ingress', 'web/b');
    await sink.until('delete web/b');
  });

  test.each(['Ingress', 'Secret'] as const)(
    'while nobody was away: a watch of %s from a version that is no more says nothing, and is not believed',
    async (kind) => {
      const scope = {
        resource: resources[kind],
        ...(kind === 'Secret' ? { namespace: 'web', name: 'c' } : {}),
      };
      rig = await startReflectorRig({ scope, prepare: (api) => void api.put('Ingress', ingress('a')) });
      const { api, sink, clock } = rig;
      const { plural } = resources[kind];
      await sink.until('synced');
      const backup = api.store.backup();
      const watch = await api.watch(plural);
      api.put(
        kind,
        kind === 'Ingress' ? ingress('c') : { metadata: { name: 'c', namespace: 'web' }, data: {} },
      );
      await sink.until('set web/c');
      api.store.restore(backup);
      watch.end();
      const mute = await api.watch(plural);
      await clock.untilHeld();
      clock.elapse(280_000);
      // An API server that ends its watches as it was asked to, and one that does not get to it.
      if (kind === 'Secret') mute.end();
      await sink.until('delete web/c');
    },
  );

  test('is not believed for one old list', async () => {
    const { api, sink, watch } = await startSynced();
    const [a] = api.store.list('/apis/networking.k8s.io/v1/ingresses', '');
    api.put('Ingress', ingress('a', { path: '/new' }));
    await sink.until('set web/a');
    const old = { metadata: { resourceVersion: a?.metadata.resourceVersion }, items: [a] };
    api.fault({ verb: 'list', times: 2 }, { bytes: JSON.stringify(old) });
    watch.error(410, 'Expired', 'too old');
    expect(await sink.until('synced')).toEqual(['stalled failing', 'recovered', 'synced']);
    expect(sink.stalls[0]?.message).toMatch(/answered version \d+, want \d+ or newer$/);
    expect(sink.objects.get('web/a')).toMatchObject({ rules: [{ paths: [{ path: '/new' }] }] });
  });
});

describe('a kind that the API server does not know (404)', () => {
  const scope = { resource: resources.Route };

  test('has no objects, and is asked for every 30 s', async () => {
    rig = await startReflectorRig({ scope, holdFromMs: 10_000, prepare: (api) => api.forgetKind('Route') });
    const { api, sink, clock } = rig;
    expect(await sink.until('synced')).toEqual(['stalled absent', 'synced']);
    await clock.untilHeld();
    expect(clock.held).toEqual([30_000]);
    clock.elapse(30_000);
    await clock.untilHeld();
    expect(sink.rest()).toEqual([]);
    api.learnKind('Route');
    api.put('Route', route('r'));
    clock.elapse(30_000);
    expect(await sink.until('synced')).toEqual(['set web/r', 'recovered', 'synced']);
  });

  test('and knew before: its objects are gone', async () => {
    rig = await startReflectorRig({ scope, prepare: (api) => void api.put('Route', route('r')) });
    const { api, sink } = rig;
    await sink.until('synced');
    await api.watch('routes');
    api.forgetKind('Route');
    expect(await sink.until('synced')).toEqual(['stalled absent', 'delete web/r', 'synced']);
  });

  test('for a moment only: nothing is given up', async () => {
    rig = await startReflectorRig({ scope, prepare: (api) => void api.put('Route', route('r')) });
    const { api, sink } = rig;
    await sink.until('synced');
    const watch = await api.watch('routes');
    api.fault({ plural: 'routes', times: 2 }, { answer: { status: 404, body: '404 page not found' } });
    watch.end();
    expect(await sink.until('synced')).toEqual(['stalled absent', 'recovered', 'synced']);
  });

  test('but must: stalled, and not synced', async () => {
    rig = await startReflectorRig({ prepare: (api) => api.forgetKind('Ingress') });
    const { api, sink } = rig;
    expect(await sink.until('stalled absent')).toEqual(['stalled absent']);
    api.learnKind('Ingress');
    expect(await sink.until('synced')).toEqual(['recovered', 'synced']);
  });
});

function route(name: string) {
  const rules = [{ filters: [{ redirect: { path: '/new' } }] }];
  return { metadata: { name, namespace: 'web' }, spec: { hosts: ['r.example'], rules } };
}
