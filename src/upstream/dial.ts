import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { UpstreamHandshakeFailure } from '../telemetry/protocol-cells.ts';
import type { Expiring } from '../util/deadline-sweeper.ts';
import { Line } from './line.ts';
import type { LineMaker } from './line.ts';
import type { ReadBuffer } from './read-buffer.ts';
import { PendingExchange } from './pending-exchange.ts';
import type { Candidacy } from './pending-exchange.ts';
import { socketErrorCode } from './socket-errors.ts';
import type { PoolContext } from './upstream-context.ts';
import type { EndpointPool } from './endpoint-pool.ts';
import { tlsFaultText } from './tls-fault-text.ts';

export interface DialOptions {
  readonly connectMs: number;
  /** For what can be asked of HTTP/1.1 alone. */
  readonly onlyHttp1: boolean;
  /** Goes ahead of everything else on the connection, which then serves one client only. */
  readonly preamble: Buffer | undefined;
}

/**
 * A connection that is being made, until its protocol is known and has said hello; and the requests that wait for it. All
 * of that is the connect time. When the last request gives up, so does the attempt.
 */
export class Dial implements LineMaker, Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly onlyHttp1: boolean;
  /** Nobody may join it. */
  readonly isPrivate: boolean;
  readonly line: Line;
  readonly #pool: EndpointPool;
  readonly #context: PoolContext;
  #waiting: PendingExchange[] = [];
  #isDialed = false;
  #isUp = false;
  /** Whose session may be kept, and the one that came before that was known. */
  #isTrusted = false;
  #session: Buffer | undefined;
  #isOver = false;

  constructor(pool: EndpointPool, { connectMs, onlyHttp1, preamble }: DialOptions) {
    this.#pool = pool;
    this.#context = pool.context;
    this.onlyHttp1 = onlyHttp1;
    this.isPrivate = preamble !== undefined;
    const { endpoint } = pool;
    const tls = pool.context.tls?.options(pool.session, onlyHttp1);
    this.line = new Line({ endpoint, tls, preamble }, this);
    this.deadline = pool.context.sweeper.after(connectMs);
    pool.context.sweeper.add(this);
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  join(candidacy: Candidacy): PendingExchange {
    const pending = new PendingExchange(candidacy);
    this.adopt(pending);
    return pending;
  }

  adopt(pending: PendingExchange): void {
    pending.dial = this;
    this.#waiting.push(pending);
  }

  leave(pending: PendingExchange): void {
    this.#waiting = this.#waiting.filter((other) => other !== pending);
    this.#context.board.end(pending.candidacy.slot);
    if (this.#waiting.length === 0) this.#giveUp();
  }

  /** The connection serves from now on, and whoever waited is served by it, or finds another. */
  finish(): readonly PendingExchange[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isOver = true;
    this.#context.sweeper.remove(this);
    for (const pending of waiting) pending.dial = undefined;
    return waiting;
  }

  fail(code: ErrorCodeName, detail: string): void {
    if (this.#isOver) return;
    if (this.#isDialed) this.#pool.session = undefined;
    const waiting = this.#giveUp();
    for (const pending of waiting) {
      this.#context.board.end(pending.candidacy.slot);
      if (!pending.isGone) pending.fail(code, detail);
    }
  }

  onDeadline(): void {
    const { tls, counters } = this.#context;
    const isHandshake = this.#isDialed && !this.#isUp && tls !== undefined;
    if (isHandshake) counters.upstreamHandshakeFailed('timeout');
    const waitedFor = isHandshake ? 'TLS handshake' : this.#isUp ? 'SETTINGS of HTTP/2' : 'connect';
    this.fail('SP_UPSTREAM_CONNECT_TIMEOUT', `${waitedFor} timed out`);
  }

  nextBuffer(reads: ReadBuffer): Buffer {
    return reads.fit(false);
  }

  onRead(): void {
    this.fail('SP_UPSTREAM_PROTOCOL', 'the endpoint spoke before it was asked');
  }

  onDialed(): void {
    this.#isDialed = true;
    this.#context.sweeper.turn();
  }

  onUp(): void {
    const { tls, counters, sweeper } = this.#context;
    sweeper.turn();
    this.#isUp = true;
    if (this.#isOver) return;
    const distrust = tls?.judge(this.line.socket, this.onlyHttp1);
    if (distrust !== undefined) {
      counters.upstreamHandshakeFailed(distrust.kind);
      this.fail('SP_UPSTREAM_TLS', distrust.detail);
      return;
    }
    this.#isTrusted = true;
    if (this.#session !== undefined) this.#pool.session = this.#session;
    this.#pool.connected(this);
  }

  onSession(session: Buffer): void {
    if (this.#isTrusted) this.#pool.session = session;
    else this.#session = session;
  }

  onDrain(): void {
    // Nothing was written.
  }

  onEnd(): void {
    this.#lost('ECONNRESET', 'connection closed by the endpoint');
  }

  onError(error: NodeJS.ErrnoException): void {
    this.#lost(error.code, error.code ?? error.message);
  }

  onClose(): void {
    this.#lost('ECONNRESET', 'connection closed');
    this.line.reads.fit(false);
  }

  #lost(code: string | undefined, detail: string): void {
    if (this.#isOver) return;
    this.#context.sweeper.turn();
    const isHandshake = this.#isDialed && !this.#isUp && this.#context.tls !== undefined;
    if (!isHandshake) {
      this.fail(socketErrorCode(code, false), detail);
      return;
    }
    this.#context.counters.upstreamHandshakeFailed(handshakeFailure(code));
    this.fail('SP_UPSTREAM_TLS', `TLS handshake with the endpoint: ${tlsFaultText(detail)}`);
  }

  #giveUp(): readonly PendingExchange[] {
    const waiting = this.finish();
    this.#pool.abandoned(this);
    this.line.socket.destroy();
    return waiting;
  }
}

function handshakeFailure(code = ''): UpstreamHandshakeFailure {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed';
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') return 'protocol';
  return code.startsWith('ERR_') || /^E[A-Z]+$/.test(code) ? 'other' : 'certificate';
}
