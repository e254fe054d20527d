import { createTransport } from '../../src/kube/api-transport.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { ReflectorTuning } from '../../src/kube/reflector-options.ts';
import { resources } from '../../src/kube/resources.ts';
import type { ResourceScope } from '../../src/kube/resources.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { startFakeApiServer } from './fake-api-server/fake-api-server.ts';
import type { FakeApiServer, FakeApiServerOptions } from './fake-api-server/fake-api-server.ts';
import type { OpenWatch } from './fake-api-server/open-watch.ts';
import { PacedClock } from './paced-clock.ts';
import { RecordingMetrics, RecordingSink } from './recording-sink.ts';

/** One reflector against a fake API server, over real sockets. */
export interface ReflectorRig {
  readonly api: FakeApiServer;
  readonly transport: Transport;
  readonly sink: RecordingSink;
  readonly metrics: RecordingMetrics;
  readonly clock: PacedClock;
  readonly reflector: Reflector;
  /** Throws when a timer or a connection was left behind. */
  close(): Promise<void>;
}

export interface RigOptions {
  /** Default: every Ingress. */
  readonly scope?: ResourceScope;
  readonly tuning?: Partial<ReflectorTuning>;
  readonly server?: FakeApiServerOptions;
  /** Timers of this length stand still. Default 60 s: pauses between tries pass, the wait for a silent watch does not. */
  readonly holdFromMs?: number;
  /** Before the reflector starts. */
  readonly prepare?: (api: FakeApiServer) => void;
}

export async function startReflectorRig(options: RigOptions = {}): Promise<ReflectorRig> {
  const {
    scope = { resource: resources.Ingress },
    tuning = {},
    server = {},
    prepare,
    holdFromMs = 60_000,
  } = options;
  const api = await startFakeApiServer(server);
  prepare?.(api);
  const transport = createTransport(api.access());
  const sink = new RecordingSink();
  const metrics = new RecordingMetrics();
  const clock = new PacedClock(holdFromMs);
  const reflector = new Reflector({ transport, scope, sink, metrics, clock, tuning });
  reflector.start();
  return {
    api,
    transport,
    sink,
    metrics,
    clock,
    reflector,
    close: async () => {
      await reflector.stop();
      await transport.close();
      if (clock.held.length > 0) throw new Error(`${clock.held.length} timers were left behind`);
      await api.close();
    },
  };
}

/** A manifest of an Ingress as an API server holds it, without what the server adds. */
export function ingress(
  name: string,
  more: { readonly labels?: Record<string, string>; readonly path?: string } = {},
) {
  const { labels = {}, path = '/' } = more;
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    metadata: { name, namespace: 'web', labels },
    spec: { rules: [{ host: `${name}.example`, http: { paths: [{ path, pathType: 'Prefix', backend }] } }] },
  };
}

/** A rig whose reflector has synced these Ingresses, with its first watch. */
export async function startSyncedRig(
  names: readonly string[],
  options: RigOptions = {},
): Promise<ReflectorRig & { readonly watch: OpenWatch }> {
  const rig = await startReflectorRig({
    prepare: (api) => names.forEach((name) => api.put('Ingress', ingress(name))),
    ...options,
  });
  try {
    await rig.sink.until('synced');
    const watch = await rig.api.watch('ingresses');
    // The silence of a watch is timed from when its head came.
    await rig.clock.untilHeld();
    return { ...rig, watch };
  } catch (error) {
    await rig.close();
    throw error;
  }
}
