import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { RouteOrigin, RouteTable } from '../table/route-table.ts';

/** What the admin server shows. The app brings it together; the server knows neither control nor workers. */
export interface AdminState {
  /** Not ready before the first complete table is live in every worker, and while draining. The reason is for people. */
  ready(): { readonly ready: boolean; readonly reason: string };
  /** The published table. */
  table(): RouteTable;
  /** The data plane's threads. */
  workers(): readonly WorkerView[];
  /** Open findings. */
  diagnostics(): readonly Diagnostic[];
  /** Which route serves this request and why the others do not; plain data. */
  explain(request: ExplainRequest): Explained;
  /** Requests in flight to `address:port` from all workers; undefined when it is not counted. */
  inFlight?(endpoint: string): number | undefined;
  /** Text in pieces, so that a large exposition holds neither loop nor memory. */
  metrics(): { readonly contentType: string; readonly text: AsyncIterable<string> };
}

/** One thread of the data plane. */
export interface WorkerView {
  readonly worker: number;
  /** Whether it accepts connections. */
  readonly listening: boolean;
  /** Of the table that it serves; 0 while it serves none. */
  readonly generation: number;
  /** How often this place was filled anew after a failure. */
  readonly restarts: number;
  /** Open client connections. */
  readonly connections: number;
}

/** The part of an explanation that the admin server looks at; it passes all of it on. */
export interface Explained {
  readonly route?: { readonly origin: RouteOrigin } | undefined;
  readonly forward?: { readonly backends: readonly { readonly upstream: string }[] } | undefined;
}

/** A request as somebody asks about it. */
export interface ExplainRequest {
  /** `http://host/path?query` or https, as it was typed: it is the proxy's to normalise. */
  readonly url: string;
  readonly method: string;
  /** Names as they were written, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What source ranges and sticky splits see; left out: 127.0.0.1. */
  readonly clientAddress?: string;
}
