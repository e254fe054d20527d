import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SnapshotStore } from '../model/snapshot-store.ts';
import type { StoreChange } from '../model/snapshot-store.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import { parseReference } from './named-object.ts';
import { readScope } from './read-scope.ts';
import type { ReadScopeOptions, ScopeRead } from './read-scope.ts';
import type { StallReason } from './reflector-events.ts';
import type { ResourceScope } from './resources.ts';
import type { Transport } from './transport.ts';
import { describeScope, watchPlan } from './watch-plan.ts';
import type { PlannedScope, WatchSettings } from './watch-plan.ts';

export interface ReadClusterOptions {
  readonly transport: Transport;
  /** What to read; one namespace given with -n is `watchNamespaces: [namespace]`. */
  readonly watch: WatchSettings;
  /** What the objects of a snapshot refer to: `Secret/namespace/name` and `ConfigMap/namespace/name`. */
  readonly references: (snapshot: Snapshot) => ReadonlySet<string>;
  readonly clock?: KubeClock;
  readonly signal?: AbortSignal;
}

/** Something that the snapshot lacks although the cluster may have it. */
export interface SkippedScope {
  readonly scope: ResourceScope;
  /** `secrets "tls" in namespace "a"`. */
  readonly what: string;
  readonly reason: StallReason;
}

export interface ClusterContents {
  readonly snapshot: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
  readonly skipped: readonly SkippedScope[];
}

/** Too little of a cluster could be read. The message is for the operator. */
export class ClusterReadError extends Error {
  override readonly name = 'ClusterReadError';
  /** Why the first of what is missing could not be read. */
  readonly reason: StallReason;

  constructor(message: string, reason: StallReason) {
    super(message);
    this.reason = reason;
  }
}

/** Objects that are read by name at a time. */
const concurrency = 16;

/**
 * Reads a cluster without watching it, with whatever rights the credentials carry.
 *
 * @throws ClusterReadError: the API server does not answer, fails, does not accept the credentials, or refuses so much
 *   that nothing can be said
 */
export async function readClusterOnce(options: ReadClusterOptions): Promise<ClusterContents> {
  const { transport, watch, references, clock = systemClock, signal } = options;
  const read = { transport, clock, signal: signal ?? new AbortController().signal };
  const plan = watchPlan(watch);
  const collector = new Collector();
  const found = await Promise.all(plan.scopes.map(({ scope }) => readScope({ ...read, scope })));
  for (const [index, one] of found.entries()) collector.take(plan.scopes[index]?.scope, one);
  failIfBlind(plan.scopes, collector.skipped, watch.watchNamespaces);
  const known = new Set<string>();
  for (;;) {
    const snapshot = collector.snapshot();
    // What was found may refer to more.
    const wanted = references(snapshot).union(plan.references).difference(known);
    if (wanted.size === 0)
      return { snapshot, diagnostics: collector.diagnostics, skipped: collector.skipped };
    for (const reference of wanted) known.add(reference);
    // oxlint-disable-next-line no-await-in-loop -- the next references are only known after these
    await readReferences(wanted, read, collector);
  }
}

class Collector {
  readonly diagnostics: Diagnostic[] = [];
  readonly skipped: SkippedScope[] = [];
  readonly #store = new SnapshotStore();
  readonly #changes: StoreChange[] = [];

  take(scope: ResourceScope | undefined, { objects, diagnostics, failure }: ScopeRead): void {
    for (const object of objects) this.#changes.push({ type: 'set', object });
    this.diagnostics.push(...diagnostics);
    if (failure === undefined || scope === undefined) return;
    if (failure.kind === 'absent' && (scope.resource.optional || scope.name !== undefined)) return;
    this.skipped.push({ scope, what: describeScope(scope), reason: failure });
  }

  snapshot(): Snapshot {
    const { snapshot } = this.#store.apply(this.#changes);
    this.#changes.length = 0;
    return snapshot;
  }
}

async function readReferences(
  references: ReadonlySet<string>,
  read: Omit<ReadScopeOptions, 'scope'>,
  collector: Collector,
): Promise<void> {
  const left = references.values();
  const work = async (): Promise<void> => {
    for (const reference of left) {
      const scope = parseReference(reference);
      // oxlint-disable-next-line no-await-in-loop -- several of these loops run side by side
      if (scope !== undefined) collector.take(scope, await readScope({ ...read, scope }));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

/** A cluster of which too little was seen must not look like an empty one. */
function failIfBlind(
  scopes: readonly PlannedScope[],
  skipped: readonly SkippedScope[],
  namespaces: readonly string[] | undefined,
): void {
  const broken = skipped.find(({ reason }) => reason.kind !== 'forbidden');
  if (broken !== undefined) {
    throw new ClusterReadError(`Cannot read ${broken.what}: ${broken.reason.message}`, broken.reason);
  }
  const refused = skipped.filter(({ scope }) => scope.resource.namespaced);
  const [first] = refused;
  if (first === undefined) return;
  if (namespaces === undefined) {
    throw new ClusterReadError(
      `Cannot read ${first.what}: the API server refuses (${first.reason.message}); choose a namespace with -n`,
      first.reason,
    );
  }
  const readable = scopes.filter(({ scope }) => scope.resource.namespaced && !scope.resource.optional);
  if (readable.every(({ scope }) => refused.some((one) => one.scope === scope))) {
    throw new ClusterReadError(
      `Cannot read ${first.what}: the API server refuses (${first.reason.message})`,
      first.reason,
    );
  }
}
