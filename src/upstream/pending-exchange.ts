import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { Dial } from './dial.ts';
import type { ResponseSink } from './response-sink.ts';
import type { ExchangeTimeouts } from './upstream-context.ts';
import type { UpstreamExchange, UpstreamRequest } from './upstream-exchange.ts';

/** A request that was counted on its endpoint, and whom its response is told to. */
export interface Candidacy {
  readonly sink: ResponseSink;
  readonly request: UpstreamRequest;
  readonly timeouts: ExchangeTimeouts;
  /** Board slot in which it is counted. */
  readonly slot: number;
}

/** A request that waits for a connection. What it gets in the end may be another connection than the one it waits for. */
export class PendingExchange implements UpstreamExchange {
  readonly isConnecting = true;
  readonly isReused = false;
  readonly hasResponseBytes = false;
  readonly candidacy: Candidacy;
  /** Given up while it was on its way from one connection to another. */
  isGone = false;
  #dial: Dial | undefined;

  constructor(candidacy: Candidacy) {
    this.candidacy = candidacy;
  }

  /** It waits for this one from now on; undefined: it has its connection, or none. */
  set dial(dial: Dial | undefined) {
    this.#dial = dial;
  }

  destroy(): void {
    const dial = this.#dial;
    this.#dial = undefined;
    if (dial === undefined) this.isGone = true;
    else dial.leave(this);
  }

  fail(code: ErrorCodeName, detail: string): void {
    this.#dial = undefined;
    this.candidacy.sink.onUpstreamFailed(code, detail, false);
  }

  // Nothing may be sent, and nothing is to be resumed, before the connection is up.

  sendHead(): void {
    // See above.
  }

  sendBody(): void {
    // See above.
  }

  endRequest(): void {
    // See above.
  }

  flush(): boolean {
    return true;
  }

  resume(): void {
    // See above.
  }
}
