import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import type { ObjectKey } from '../model/object-meta.ts';
import type { Log } from '../telemetry/log.ts';
import { EventRecorder } from './event-recorder.ts';
import type { KubeClock } from './kube-clock.ts';
import { isLastReplica } from './last-replica.ts';
import { LeaderLease } from './leader-lease.ts';
import { SoleLeader } from './leadership.ts';
import type { Leadership } from './leadership.ts';
import type { StatusListener } from './observed-status.ts';
import { ServiceAddresses, fixedAddresses, noAddresses } from './publish-address.ts';
import type { PublishedAddresses } from './publish-address.ts';
import type { ReportingMetrics } from './reporting-metrics.ts';
import type { ReportedKind, ReportedObject, StatusFeed } from './status-feed.ts';
import { StatusWriter } from './status-writer.ts';
import type { Transport } from './transport.ts';

/** What the operator chose; flags have the same names. */
export interface ReportingSettings {
  /** `namespace/name`, or ''. */
  readonly publishService: string;
  /** Separated by commas, or ''. Goes before the Service. */
  readonly publishStatusAddress: string;
  readonly updateStatusOnShutdown: boolean;
  readonly electionId: string;
  readonly electionTtlMs: number;
  readonly disableLeaderElection: boolean;
  /** `spec.controller` of our IngressClasses: who Events are reported by. */
  readonly controllerClass: string;
  /** Who owns the status fields; see StatusWriterOptions. */
  readonly fieldManager?: string;
}

/** Who this process is. */
export interface ReplicaIdentity {
  /** The pod, or something that is as much its own. */
  readonly name: string;
  /** Where the Lease is. */
  readonly namespace: string;
}

export interface ClusterReportingOptions {
  readonly transport: Transport;
  readonly settings: ReportingSettings;
  readonly identity: ReplicaIdentity;
  /** What there is to say, and a call for each change of it. */
  readonly feed: StatusFeed & { subscribe(listener: (changed: readonly ReportedObject[]) => void): void };
  /** What the cluster says: ClusterSource. */
  readonly observed: {
    observedStatus(kind: ReportedKind, key: ObjectKey): unknown;
    onStatus(listener: StatusListener): () => void;
  };
  readonly metrics: ReportingMetrics;
  readonly log: Log;
  readonly clock?: KubeClock;
}

/** Everything that is written to a cluster: the election, and by its winner status and Events. */
export class ClusterReporting {
  readonly #leadership: Leadership;
  readonly #addresses: PublishedAddresses;
  readonly #writer: StatusWriter;
  readonly #recorder: EventRecorder;
  readonly #ignoreStatus: () => void;
  #started = false;

  constructor(options: ClusterReportingOptions) {
    const { transport, settings, identity, feed, observed, metrics, log } = options;
    const clock = options.clock === undefined ? {} : { clock: options.clock };
    this.#leadership = leadershipOf(options);
    this.#addresses = addressesOf(options);
    const common = { transport, feed, leadership: this.#leadership, metrics, log, ...clock };
    const last = lastReplicaOf(options);
    this.#writer = new StatusWriter({
      ...common,
      addresses: this.#addresses,
      observedStatus: (kind, key) => observed.observedStatus(kind, key),
      ...(settings.fieldManager === undefined ? {} : { fieldManager: settings.fieldManager }),
      ...(last === undefined ? {} : { isLastReplica: last }),
    });
    this.#recorder = new EventRecorder({
      ...common,
      reporter: { controller: settings.controllerClass, instance: identity.name },
    });
    feed.subscribe((changed) => {
      this.#writer.changed(changed);
      this.#recorder.changed(changed);
    });
    this.#ignoreStatus = observed.onStatus((kind, key) => this.#writer.changed([{ kind, key }]));
  }

  isLeader(): boolean {
    return this.#leadership.isLeader();
  }

  /**
   * To be called when the cluster was read, again and again if that is easier. Not before: what a saved snapshot compiles to
   * is no news for the cluster, and every status would be written because none was seen yet.
   */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#addresses.start();
    this.#leadership.start();
  }

  /**
   * Clears addresses if this is the last replica, gives the Lease back and resolves when nothing is under way. Takes a few
   * seconds at most. The transport and the feed must work until then.
   */
  async stop(): Promise<void> {
    this.#started = true;
    this.#ignoreStatus();
    this.#recorder.stop();
    await this.#writer.stop();
    await Promise.all([this.#leadership.stop(), this.#addresses.stop()]);
  }
}

/** The pod by `POD_NAME` and `POD_NAMESPACE`; outside of one the machine, and the namespace that the cluster access names. */
export function replicaIdentity(
  environment: Readonly<Record<string, string | undefined>>,
  accessNamespace: string | undefined,
): ReplicaIdentity {
  const { POD_NAME: pod = '', POD_NAMESPACE: namespace = '' } = environment;
  return {
    name: pod === '' ? `${hostname().toLowerCase()}-${randomBytes(4).toString('hex')}` : pod,
    namespace: namespace === '' ? (accessNamespace ?? 'default') : namespace,
  };
}

function leadershipOf({ transport, settings, identity, log, clock }: ClusterReportingOptions): Leadership {
  if (settings.disableLeaderElection) return new SoleLeader();
  return new LeaderLease({
    transport,
    namespace: identity.namespace,
    name: settings.electionId,
    identity: identity.name,
    durationMs: settings.electionTtlMs,
    log,
    ...(clock === undefined ? {} : { clock }),
  });
}

function addressesOf({ transport, settings, log, clock }: ClusterReportingOptions): PublishedAddresses {
  const { publishService, publishStatusAddress } = settings;
  if (publishStatusAddress !== '') return fixedAddresses(publishStatusAddress);
  if (publishService === '') return noAddresses;
  return new ServiceAddresses({
    transport,
    service: publishService,
    log,
    ...(clock === undefined ? {} : { clock }),
  });
}

/** undefined: addresses stay when this process stops. */
function lastReplicaOf(options: ClusterReportingOptions): (() => Promise<boolean>) | undefined {
  const { transport, settings, identity } = options;
  if (!settings.updateStatusOnShutdown) return undefined;
  if (settings.disableLeaderElection) return () => Promise.resolve(true);
  // The other replicas stand behind the Service, if anywhere.
  if (settings.publishService === '') return undefined;
  return () => isLastReplica({ transport, service: settings.publishService, pod: identity.name });
}
