import type { Kind } from '../model/snapshot.ts';
import type { KubeClock } from './kube-clock.ts';
import type { ReflectorSink } from './reflector-events.ts';
import type { ResourceScope } from './resources.ts';
import type { Transport } from './transport.ts';

/** Why a watch was opened again. */
export type WatchEnd =
  /** The API server ended it as it was asked to: after its timeout, or to move its clients elsewhere. */
  | 'ended'
  /** The versions from which it was to go on are gone (410): read anew. */
  | 'expired'
  /** Bookmarks came, and then nothing for so long that the stream counts as dead. */
  | 'silent'
  /** Nothing ever came, which may be right: a kind that nobody wrote since the API server started may have no bookmarks. */
  | 'quiet'
  /** A line that is no event: cut off, not JSON, too long. */
  | 'garbage'
  /** No answer, a broken connection, a status other than 200, an ERROR event. */
  | 'error';

/** What reflectors count. Calls are cheap and never throw. */
export interface ReflectorMetrics {
  /** A scope was read as a whole, for the first time or again. */
  relisted(kind: Kind): void;
  watchRestarted(kind: Kind, reason: WatchEnd): void;
  /** Bytes that are no event. */
  garbage(kind: Kind): void;
  /** The API server said something about the kind: a page, an event, a bookmark. */
  heard(kind: Kind): void;
  /** How many more (or fewer) objects of the kind are known. */
  objects(kind: Kind, difference: number): void;
}

export interface ReflectorTuning {
  /** Objects in one page of a list. Default 500. */
  readonly pageSize: number;
  /** A watch is asked to end after a random time between the two. Default 240 s and 300 s. */
  readonly watchMinMs: number;
  readonly watchMaxMs: number;
  /** A watch on which nothing came for so long is opened again. Default 75 s: an API server sends a bookmark a minute. */
  readonly silenceMs: number;
  /** How often a kind that the API server does not know is asked for. Default 30 s. */
  readonly absentRetryMs: number;
  /** How often a scope that may not be read is asked for: a random time between the two. Default 15 s and 60 s. */
  readonly forbiddenMinMs: number;
  readonly forbiddenMaxMs: number;
}

export const defaultTuning: ReflectorTuning = {
  pageSize: 500,
  watchMinMs: 240_000,
  watchMaxMs: 300_000,
  silenceMs: 75_000,
  absentRetryMs: 30_000,
  forbiddenMinMs: 15_000,
  forbiddenMaxMs: 60_000,
};

export interface ReflectorOptions {
  readonly transport: Transport;
  readonly scope: ResourceScope;
  /** Must not throw. Told nothing after `stop()` was called. */
  readonly sink: ReflectorSink;
  readonly metrics?: ReflectorMetrics;
  readonly clock?: KubeClock;
  readonly tuning?: Partial<ReflectorTuning>;
}

/**
 * One scope of a cluster, told as differences to a sink for as long as it runs: `new Reflector(options)`, `start()`,
 * `stop()`. It never gives up by itself.
 */
export interface RunningReflector {
  /** Once. Returns at once; the sink hears the rest. */
  start(): void;
  /** Resolves when no call, timer or connection of it is left. Objects are not told as gone. */
  stop(): Promise<void>;
}
