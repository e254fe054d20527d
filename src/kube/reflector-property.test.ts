import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Backup } from '../../test/support/fake-api-server/object-store.ts';
import { ingress, startReflectorRig } from '../../test/support/reflector-rig.ts';
import type { ReflectorRig } from '../../test/support/reflector-rig.ts';

const ingresses = '/apis/networking.k8s.io/v1/ingresses';

type Step =
  | { readonly do: 'put'; readonly name: string; readonly path: string }
  | { readonly do: 'remove'; readonly name: string }
  | {
      readonly do:
        'cut' | 'end' | 'garbage' | 'error' | 'bookmark' | 'compact' | 'refuse' | 'backup' | 'restore';
    };

const name = fc.constantFrom('a', 'b', 'c', 'd');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('put' as const), name, path: fc.constantFrom('/x', '/y') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...([
          'cut',
          'end',
          'garbage',
          'error',
          'bookmark',
          'compact',
          'refuse',
          'backup',
          'restore',
        ] as const),
      ),
    }),
  },
);

async function apply(rig: ReflectorRig, taken: Step, backups: Backup[]): Promise<void> {
  const { api } = rig;
  switch (taken.do) {
    case 'put':
      api.put('Ingress', ingress(taken.name, { path: taken.path }));
      return;
    case 'remove':
      api.remove('Ingress', `web/${taken.name}`);
      return;
    case 'refuse':
      api.fault({ times: 2 }, { answer: { status: 503 } });
      return;
    case 'backup':
      backups.push(api.store.backup());
      return;
    case 'restore':
      return restore(rig, backups.at(-1));
    default:
      return disturb(rig, taken.do);
  }
}

/** Does something to the watch that is open now. */
async function disturb({ api }: ReflectorRig, what: Step['do']): Promise<void> {
  const [open] = api.watches;
  const watch = open ?? (await api.watch('ingresses'));
  if (what === 'bookmark') return watch.bookmark();
  if (what === 'compact') api.store.compact();
  if (what === 'garbage') watch.send('?\n');
  else if (what === 'error') watch.error(500, 'InternalError', 'odd');
  else if (what === 'end') watch.end();
  else watch.cut();
  await watch.closed;
}

async function restore({ api, sink }: ReflectorRig, backup: Backup | undefined): Promise<void> {
  if (backup === undefined) return;
  sink.rest();
  await api.vanish();
  await sink.until('stalled unreachable');
  api.store.restore(backup);
  await api.comeBack();
  await sink.until('recovered');
}

/** Everything that the server said before has arrived: what it says last came through. */
async function settle({ api, sink }: ReflectorRig): Promise<void> {
  sink.rest();
  api.put('Ingress', ingress('zz'));
  await sink.until('set web/zz');
  api.remove('Ingress', 'web/zz');
  await sink.until('delete web/zz');
}

describe('whatever happens to an API server and its streams', () => {
  test('a reflector comes to know what is there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        const rig = await startReflectorRig({ tuning: { pageSize: 2 } });
        const backups: Backup[] = [];
        try {
          await rig.sink.until('synced');
          // oxlint-disable-next-line no-await-in-loop -- one step after the other
          for (const taken of steps) await apply(rig, taken, backups);
          await settle(rig);
          const there = rig.api.store.list(ingresses, '');
          const paths = there.map(({ metadata, spec }) => [metadata.name, pathOf(spec)] as const);
          const known = [...rig.sink.objects.values()];
          const knownPaths = known.map((object) => [object.meta.name, modelPath(object)] as const);
          expect(new Map(knownPaths)).toEqual(new Map(paths));
          expect(rig.metrics.objectCount).toBe(there.length);
        } finally {
          await rig.close();
        }
      }),
      { numRuns: 100, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
    );
  }, 60_000);
});

function pathOf(spec: unknown): string | undefined {
  return (spec as ReturnType<typeof ingress>['spec']).rules[0]?.http.paths[0]?.path;
}

function modelPath(object: ReflectorRig['sink']['sets'][number]['object']): string | undefined {
  return object.kind === 'Ingress' ? object.rules[0]?.paths[0]?.path : undefined;
}
