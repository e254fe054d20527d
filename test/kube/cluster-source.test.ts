import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createTransport } from '../../src/kube/api-transport.ts';
import { ClusterSource } from '../../src/kube/cluster-source.ts';
import type { ClusterUpdate } from '../../src/kube/cluster-source.ts';
import type { KubeClock } from '../../src/kube/kube-clock.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { resourcePath, resources } from '../../src/kube/resources.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { watchPlan } from '../../src/kube/watch-plan.ts';
import type { Kind, Snapshot } from '../../src/model/snapshot.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startFakeApiServer } from '../support/fake-api-server/fake-api-server.ts';
import type { FakeApiServer } from '../support/fake-api-server/fake-api-server.ts';

// Whatever happens to objects, watches and the API server: in the end the source holds what the server holds, of Secrets
// exactly those that are referred to; and on the way `changed` names everything that differs from the snapshot before.

/** A hundred times as fast, so that pauses between tries pass while the test waits for what follows them. */
const fastClock: KubeClock = {
  now: () => performance.now() * 100,
  after: (ms, run) => {
    const timer = setTimeout(run, ms / 100);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

const names = ['a/one', 'a/two', 'b/one'] as const;
const name = fc.constantFrom(...names);
const value = fc.integer({ min: 1, max: 99 });

type Step =
  | { readonly type: 'service' | 'secret'; readonly name: string; readonly value: number }
  | { readonly type: 'remove'; readonly kind: 'Service' | 'Secret'; readonly name: string }
  | { readonly type: 'refer'; readonly names: readonly string[] }
  | { readonly type: 'end' | 'cut' | 'forget' | 'vanish' | 'return' }
  | { readonly type: 'turns'; readonly value: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constantFrom('service' as const, 'secret' as const), name, value }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('remove' as const),
      kind: fc.constantFrom('Service' as const, 'Secret' as const),
      name,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('refer' as const), names: fc.subarray([...names]) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom<('end' | 'cut' | 'forget' | 'vanish' | 'return')[]>(
        'end',
        'cut',
        'forget',
        'vanish',
        'return',
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('turns' as const), value: fc.integer({ min: 1, max: 20 }) }),
  },
);

class World {
  readonly updates: ClusterUpdate[] = [];
  readonly source: ClusterSource;
  readonly #server: FakeApiServer;
  readonly #transport: Transport;
  #here = true;
  #referred: readonly string[] = [];
  #wake: () => void = () => undefined;

  constructor(server: FakeApiServer) {
    this.#server = server;
    const transport = createTransport(server.access());
    this.#transport = transport;
    this.source = new ClusterSource({
      plan: watchPlan({
        watchNamespaces: undefined,
        namespaceSelector: false,
        ingressClassByName: false,
        defaultBackendService: undefined,
        defaultCertificate: undefined,
      }),
      createReflector: (scope, sink) => new Reflector({ transport, scope, sink, clock: fastClock }),
      onChange: (update) => {
        this.updates.push(update);
        this.#wake();
      },
      log: createLog({ write: () => undefined }, 'silent'),
      clock: fastClock,
    });
  }

  async run(one: Step): Promise<void> {
    const [namespace = '', own = ''] = 'name' in one ? one.name.split('/') : [];
    const metadata = { namespace, name: own };
    switch (one.type) {
      case 'service':
        this.#server.put('Service', { metadata, spec: { ports: [{ port: one.value }] } });
        break;
      case 'secret':
        this.#server.put('Secret', { metadata, type: 'Opaque', data: { v: btoa(String(one.value)) } });
        break;
      case 'remove':
        this.#server.remove(one.kind, one.name);
        break;
      case 'refer':
        this.#referred = one.names;
        void this.source.fetch(new Set(one.names.map((key) => `Secret/${key}`)));
        break;
      case 'forget':
        this.#server.store.compact();
        break;
      case 'end':
        for (const watch of this.#server.watches) watch.end();
        break;
      case 'cut':
        for (const watch of this.#server.watches) watch.cut();
        break;
      case 'vanish':
        if (this.#here) await this.#server.vanish();
        this.#here = false;
        break;
      case 'return':
        await this.return();
        break;
      case 'turns':
        await turns(one.value);
        break;
    }
  }

  async return(): Promise<void> {
    if (!this.#here) await this.#server.comeBack();
    this.#here = true;
  }

  /** Resolves once the source holds what the server holds. */
  async agreement(): Promise<void> {
    const wanted = JSON.stringify(this.#truth());
    for (;;) {
      const last = this.updates.at(-1);
      if (last !== undefined && JSON.stringify(held(last.snapshot)) === wanted) return;
      // oxlint-disable-next-line no-await-in-loop -- one update after the other
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    await this.source.stop();
    await this.#transport.close();
  }

  #truth(): readonly string[] {
    const all = (kind: Kind) => this.#server.store.list(resourcePath(resources[kind]), '');
    const services = all('Service').map(({ metadata, spec }) => {
      const { ports } = spec as { readonly ports: readonly { readonly port: number }[] };
      return `Service ${metadata.namespace}/${metadata.name} ${ports[0]?.port}`;
    });
    const secrets = all('Secret')
      .filter(({ metadata }) => this.#referred.includes(`${metadata.namespace}/${metadata.name}`))
      .map(({ metadata, data }) => {
        const { v } = data as { readonly v: string };
        return `Secret ${metadata.namespace}/${metadata.name} ${atob(v)}`;
      });
    return [...services, ...secrets].sort();
  }
}

function held({ objects }: Snapshot): readonly string[] {
  const services = [...objects.Service].map(([key, { ports }]) => `Service ${key} ${ports[0]?.port}`);
  const secrets = [...objects.Secret].map(([key, { data }]) => `Secret ${key} ${data.get('v')?.toString()}`);
  return [...services, ...secrets].sort();
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    // oxlint-disable-next-line no-await-in-loop -- one turn of the event loop after the other
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Objects that differ between two snapshots, by identity. */
function differences(before: Snapshot, after: Snapshot): readonly string[] {
  return (Object.keys(after.objects) as Kind[]).flatMap((kind) => {
    const [old, now] = [before.objects[kind], after.objects[kind]] as readonly ReadonlyMap<string, unknown>[];
    const keys = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
    return [...keys].filter((key) => old?.get(key) !== now?.get(key)).map((key) => `${kind}/${key}`);
  });
}

let servers: FakeApiServer[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
});

test('ends up with what the API server holds, after any events, breaks, relists and references', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), async (steps) => {
      const server = await startFakeApiServer();
      servers.push(server);
      const world = new World(server);
      await world.source.start();
      try {
        // oxlint-disable-next-line no-await-in-loop -- one step after the other
        for (const one of steps) await world.run(one);
        await world.return();
        await world.agreement();
        await world.run({ type: 'service', name: 'b/last', value: 1 });
        await world.agreement();
        for (const [at, { changed, snapshot }] of world.updates.entries()) {
          const before = world.updates[at - 1];
          if (changed === undefined || before === undefined) continue;
          expect(changed.map(({ kind, key }) => `${kind}/${key}`).sort()).toEqual(
            [...differences(before.snapshot, snapshot)].sort(),
          );
        }
      } finally {
        await world.stop();
        await server.close();
      }
    }),
    { numRuns: 30, timeout: 20_000, endOnFailure: true },
  );
}, 120_000);
