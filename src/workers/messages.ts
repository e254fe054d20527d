import type { BoundSocket } from 'node:net';

import type { ClosedRoute } from '../proxy/link-draft.ts';
import type { ListenerName } from '../proxy/data-plane.ts';
import type { ProxySettings } from '../proxy/proxy-settings.ts';
import type { TlsSettings } from '../proxy/tls/tls-settings.ts';
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
  /** Client connections that this worker holds at a time; 0 means no limit. */
  readonly maxConnections: number;
  /** Left out where no TLS is spoken. */
  readonly tls?: TlsSettings;
  /** Endpoint board, shared by all workers. */
  readonly board: SharedArrayBuffer;
  /** This worker's own counters that belong to no route. */
  readonly counters: SharedArrayBuffer;
  /** Int32 words shared with main: [0] heartbeat, added to ten times a second; [1] what the kernel calls this thread, 0 if unknown. */
  readonly control: SharedArrayBuffer;
}

/** A socket that main has bound, and what is spoken there. */
export interface NamedSocket {
  readonly name: ListenerName;
  readonly socket: BoundSocket;
}

export type ToWorker =
  | { readonly type: 'publish'; readonly publication: Publication }
  /** Accept traffic on these sockets. Sent after the first table is live. */
  | { readonly type: 'listen'; readonly sockets: readonly NamedSocket[] }
  /** Secrets of session tickets, the newest first, in place of those before. */
  | { readonly type: 'ticket-secrets'; readonly secrets: readonly Uint8Array[] }
  | { readonly type: 'log-credit'; readonly bytes: number }
  /** Accept nothing new, refuse keep-alive, finish what runs; tunnels are told to go, spread over this time. */
  | { readonly type: 'drain'; readonly tunnelWindowMs: number }
  /** Close everything that is left and exit. */
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'started' }
  | { readonly type: 'listening' }
  | { readonly type: 'listen-failed'; readonly message: string }
  /** The generation is live here. `linkMs` is the time this took, `stallMs` the longest time the event loop was held. */
  | {
      readonly type: 'live';
      readonly generation: number;
      readonly linkMs: number;
      readonly stallMs: number;
      /** Routes that answer 503 because one of their filters cannot be built. */
      readonly closed: readonly ClosedRoute[];
    }
  /** The base was not the current generation, or the digest disagreed: send the whole table. */
  | { readonly type: 'resync'; readonly have: number; readonly reason: 'base' | 'digest' }
  | { readonly type: 'link-failed'; readonly generation: number; readonly message: string }
  /** Finished access-log lines, counted against the credit. */
  | { readonly type: 'log-lines'; readonly text: string; readonly dropped: number }
  /** A line for the log of the process. */
  | { readonly type: 'warn'; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly type: 'drained' };
