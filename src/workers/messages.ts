import type { ProxySettings } from '../proxy/proxy-settings.ts';
import type { TableDelta } from '../table/table-delta.ts';

// What main and worker threads say to each other. Everything here survives structured clone.

/** A delta together with the shared-memory places that main gave to its new entries. */
export interface Publication {
  readonly delta: TableDelta;
  /** Endpoint `address:port` (IPv6 in brackets) → slot on the endpoint board, for every endpoint in `delta.endpoints.set`. */
  readonly slots: ReadonlyMap<string, number>;
  /** Route id → index of its first metric row, for every route in `delta.routes.set`; a route has one row per backend (at least one). */
  readonly rows: ReadonlyMap<string, number>;
  /** Metric memory segments that this publication uses for the first time. */
  readonly segments: readonly MetricSegment[];
}

/** Rows [index × rowsPerSegment, …) of one worker's metric memory. */
export interface MetricSegment {
  readonly index: number;
  readonly memory: SharedArrayBuffer;
}

export interface WorkerStart {
  readonly worker: number;
  readonly settings: ProxySettings;
  /** Endpoint board, shared by all workers. */
  readonly board: SharedArrayBuffer;
  /** This worker's own counters that belong to no route. */
  readonly counters: SharedArrayBuffer;
  /** Int32 words shared with main: [0] heartbeat, added to ten times a second. */
  readonly control: SharedArrayBuffer;
}

export type ToWorker =
  | { readonly type: 'publish'; readonly publication: Publication }
  | { readonly type: 'listen'; readonly address: string; readonly port: number; readonly socket?: unknown }
  | { readonly type: 'log-credit'; readonly bytes: number }
  /** Refuse keep-alive from now on, finish what runs. */
  | { readonly type: 'drain' }
  /** Close everything that is left and exit. */
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'started' }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'listen-failed'; readonly message: string }
  /** The generation is live here. `linkMs` is the time this took, `stallMs` the longest time the event loop was held. */
  | { readonly type: 'live'; readonly generation: number; readonly linkMs: number; readonly stallMs: number }
  /** The base was not the current generation, or the digest disagreed: send the whole table. */
  | { readonly type: 'resync'; readonly have: number }
  | { readonly type: 'link-failed'; readonly generation: number; readonly message: string }
  /** Finished access-log lines, counted against the credit. */
  | { readonly type: 'log-lines'; readonly text: string; readonly dropped: number }
  | { readonly type: 'drained' };
