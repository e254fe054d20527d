import type { Http2Stream } from '../http2/http2-stream.ts';
import type { TunnelEnd, TunnelListener } from '../util/tunnel-end.ts';

export interface TunnelEndEvents {
  /** Nobody is at the other end any more; what was written is still to leave. */
  onClosing(): void;
  /** Both directions are over. Told once. */
  onClosed(): void;
}

/**
 * The endpoint's end of a tunnel over a stream of HTTP/2 (RFC 8441). Whoever handles the stream hands on what it is told.
 * While the other side is held back, bytes wait here: as many as the stream's window lets through.
 */
export class Http2TunnelEnd implements TunnelEnd {
  readonly #stream: Http2Stream;
  readonly #events: TunnelEndEvents;
  #listener: TunnelListener | undefined;
  #waiting: Buffer[] = [];
  #isPaused = true;
  #remoteEnded: boolean;
  #endTold = false;
  #isClosed = false;

  /** `isEnded`: the endpoint's direction is complete already. */
  constructor(stream: Http2Stream, isEnded: boolean, events: TunnelEndEvents) {
    this.#stream = stream;
    this.#remoteEnded = isEnded;
    this.#events = events;
  }

  start(listener: TunnelListener): void {
    this.#listener = listener;
    if (this.#isClosed) listener.onClose();
    else this.resume();
  }

  write(bytes: Buffer): boolean {
    return this.#isClosed || this.#stream.write(bytes, 0, bytes.length);
  }

  end(): void {
    if (this.#isClosed) return;
    this.#stream.end();
    this.closeIfOver();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#waiting = [];
    this.#stream.end();
    this.#stream.discard();
    this.closeIfOver();
    if (!this.#isClosed) this.#events.onClosing();
  }

  destroy(): void {
    // What a reset of TCP is over HTTP/2 (RFC 8441 §5).
    if (!this.#isClosed) this.#stream.reset('CANCEL');
    this.over();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (this.#isClosed || this.#listener === undefined) return;
    this.#isPaused = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) {
      if (this.#isPaused) this.#waiting.push(bytes);
      else this.#tell(bytes);
    }
    this.#tellEnd();
  }

  // ── what the stream tells ─────────────────────────────────────────────────────────────────────────────────────────

  receive(buffer: Buffer, start: number, end: number): void {
    const bytes = Buffer.from(buffer.subarray(start, end));
    if (this.#isPaused) this.#waiting.push(bytes);
    else this.#tell(bytes);
  }

  remoteEnd(): void {
    this.#remoteEnded = true;
    this.#tellEnd();
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#listener?.onClose();
    this.#events.onClosed();
  }

  #tell(bytes: Buffer): void {
    this.#listener?.onData(bytes);
    this.#stream.consume(bytes.length);
  }

  /** The end comes behind everything else. */
  #tellEnd(): void {
    if (this.#isPaused || !this.#remoteEnded || this.#endTold || this.#isClosed) return;
    this.#endTold = true;
    this.#listener?.onEnd();
  }
}
