import type { Http2Stream } from '../../http2/http2-stream.ts';
import type { DeadlineSweeper, Expiring } from '../../util/deadline-sweeper.ts';
import type { TunnelEnd, TunnelListener } from '../../util/tunnel-end.ts';
import type { KeptBytes } from './kept-bytes.ts';

/** Time for the client to end its side of a tunnel whose other end has closed, and to take what still waits for it. */
const LINGER_MS = 2_000;

export interface StreamTunnelOptions {
  readonly stream: Http2Stream;
  readonly sweeper: DeadlineSweeper;
  /** How long a client may take nothing of what waits for it. */
  readonly writeTimeoutMs: number;
  /** What came before the tunnel was agreed to, not consumed yet. */
  readonly kept: KeptBytes;
  /** The client's side has ended already. */
  readonly isEnded: boolean;
  /** Both sides are over. Called once. */
  readonly onClosed: () => void;
}

/** The client's end of a tunnel that an extended CONNECT asked for (RFC 8441). Whoever handles the stream hands on what it is told. */
export class StreamTunnel implements TunnelEnd, Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly #sweeper: DeadlineSweeper;
  readonly #writeTimeoutMs: number;
  readonly #stream: Http2Stream;
  readonly #kept: KeptBytes;
  readonly #onClosed: () => void;
  #listener: TunnelListener | undefined;
  /** Bytes that were handed to us and still hold the client back. */
  #unconsumed: number;
  #paused = true;
  #remoteEnded: boolean;
  #endTold = false;
  /** Nobody takes what the client sends any more. */
  #isLeaving = false;
  #closed = false;

  constructor({ stream, sweeper, writeTimeoutMs, kept, isEnded, onClosed }: StreamTunnelOptions) {
    this.#stream = stream;
    this.#sweeper = sweeper;
    this.#writeTimeoutMs = writeTimeoutMs;
    this.#kept = kept;
    this.#unconsumed = kept.length;
    this.#remoteEnded = isEnded;
    this.#onClosed = onClosed;
  }

  start(listener: TunnelListener): void {
    this.#listener = listener;
    if (this.#closed) listener.onClose();
    else this.resume();
  }

  write(bytes: Buffer): boolean {
    return this.#stream.write(bytes, 0, bytes.length);
  }

  end(): void {
    this.#stream.end();
    this.closeIfOver();
  }

  /**
   * Our side ends behind what was written; the client's is awaited a while, because there are clients that forget what they
   * have not read when a reset follows at once.
   */
  close(): void {
    this.#stream.end();
    this.closeIfOver();
    if (this.#closed || this.#isLeaving) return;
    this.#isLeaving = true;
    this.#kept.clear();
    this.#dropUnconsumed();
    this.deadline = this.#sweeper.after(this.#stream.isWaiting ? this.#writeTimeoutMs : LINGER_MS);
    this.#sweeper.add(this);
  }

  onDeadline(): void {
    this.#stream.reset('NO_ERROR');
    this.over();
  }

  destroy(): void {
    // What a reset of TCP is over HTTP/2 (RFC 8441 §5).
    if (!this.#closed) this.#stream.reset('CANCEL');
    this.over();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (this.#closed || this.#listener === undefined) return;
    this.#paused = false;
    const bytes = this.#kept.take();
    if (bytes !== undefined) this.#listener.onData(bytes);
    this.#settle();
  }

  // ── what the stream tells ─────────────────────────────────────────────────────────────────────────────────────────

  receive(buffer: Buffer, start: number, end: number): void {
    this.#unconsumed += end - start;
    if (this.#isLeaving) {
      this.#dropUnconsumed();
      return;
    }
    if (this.#paused) {
      this.#kept.add(buffer, start, end);
      return;
    }
    this.#listener?.onData(Buffer.from(buffer.subarray(start, end)));
    this.#settle();
  }

  remoteEnd(): void {
    this.#remoteEnded = true;
    this.#settle();
    this.closeIfOver();
  }

  drained(): void {
    this.#listener?.onDrain();
  }

  closeIfOver(): void {
    if (this.#stream.isClosed) this.over();
  }

  /** The stream is over, in both directions. */
  over(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#isLeaving) this.#sweeper.remove(this);
    this.#kept.clear();
    this.#listener?.onClose();
    this.#onClosed();
  }

  #dropUnconsumed(): void {
    const bytes = this.#unconsumed;
    this.#unconsumed = 0;
    if (bytes > 0) this.#stream.consume(bytes);
  }

  /** Gives window back for what the other side has taken; the end comes behind everything else. */
  #settle(): void {
    if (this.#paused || this.#closed || this.#isLeaving) return;
    this.#dropUnconsumed();
    if (!this.#remoteEnded || this.#endTold) return;
    this.#endTold = true;
    this.#listener?.onEnd();
  }
}
