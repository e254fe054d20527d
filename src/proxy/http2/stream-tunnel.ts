import type { Http2Stream } from '../../http2/http2-stream.ts';
import type { TunnelEnd, TunnelListener } from '../../util/tunnel-end.ts';
import type { KeptBytes } from './kept-bytes.ts';

export interface StreamTunnelOptions {
  readonly stream: Http2Stream;
  /** What came before the tunnel was agreed to, not consumed yet. */
  readonly kept: KeptBytes;
  /** The client's side has ended already. */
  readonly isEnded: boolean;
  /** Both sides are over. Called once. */
  readonly onClosed: () => void;
}

/** The client's end of a tunnel that an extended CONNECT asked for (RFC 8441). Whoever handles the stream hands on what it is told. */
export class StreamTunnel implements TunnelEnd {
  readonly #stream: Http2Stream;
  readonly #kept: KeptBytes;
  readonly #onClosed: () => void;
  #listener: TunnelListener | undefined;
  /** Bytes that were handed to us and still hold the client back. */
  #unconsumed: number;
  #paused = true;
  #remoteEnded: boolean;
  #endTold = false;
  #closed = false;

  constructor({ stream, kept, isEnded, onClosed }: StreamTunnelOptions) {
    this.#stream = stream;
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

  close(): void {
    this.#stream.end();
    this.#stream.discard();
    this.closeIfOver();
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
    this.#kept.clear();
    this.#listener?.onClose();
    this.#onClosed();
  }

  /** Gives window back for what the other side has taken; the end comes behind everything else. */
  #settle(): void {
    if (this.#paused || this.#closed) return;
    const bytes = this.#unconsumed;
    this.#unconsumed = 0;
    if (bytes > 0) this.#stream.consume(bytes);
    if (!this.#remoteEnded || this.#endTold) return;
    this.#endTold = true;
    this.#listener?.onEnd();
  }
}
