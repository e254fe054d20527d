import type { HeaderList } from '../util/header-list.ts';
import type { FrameOutput } from './frame-output.ts';
import { errorCode } from './frames.ts';
import type { ErrorName } from './frames.ts';
import type { Http2Stream, ResetCause, StreamHandler } from './http2-stream.ts';
import type { ReceiveFlow } from './receive-flow.ts';
import type { SendScheduler } from './send-scheduler.ts';
import type { StreamTable } from './stream-table.ts';

/** What belongs to a stream besides itself. */
export interface StreamSurroundings {
  readonly isServer: boolean;
  readonly output: FrameOutput;
  readonly flow: ReceiveFlow;
  readonly scheduler: SendScheduler;
  readonly table: StreamTable;
  /** A stream ran to its end. */
  completed(): void;
}

/** How streams end (RFC 9113 §5.1): each way out leaves table, windows and waiting bytes in order. */
export class StreamLives {
  readonly #around: StreamSurroundings;

  constructor(around: StreamSurroundings) {
    this.#around = around;
  }

  /** END_STREAM came. */
  remoteEnd(stream: Http2Stream, trailers: HeaderList | undefined): void {
    stream.remoteEnded = true;
    const { handler } = stream;
    if (stream.localEnded) this.#complete(stream);
    if (!stream.isDiscarding) handler?.end(trailers);
  }

  /** END_STREAM goes out. */
  localEnd(stream: Http2Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.#complete(stream);
    else if (stream.isDiscarding) this.reset(stream, 'NO_ERROR');
  }

  /** RST_STREAM goes out. The handler is not told. */
  reset(stream: Http2Stream, code: ErrorName): void {
    this.#around.table.noteReset(stream.id);
    this.#around.output.reset(stream.id, code);
    this.#cut(stream);
  }

  /** RST_STREAM goes out because of the peer's fault. */
  fault(stream: Http2Stream, code: ErrorName): void {
    const { handler } = stream;
    this.reset(stream, code);
    tell(stream, handler, errorCode[code], 'fault');
  }

  /** The stream is over without a frame of ours. */
  end(stream: Http2Stream, code: number, cause: ResetCause): void {
    const { handler } = stream;
    this.#cut(stream);
    tell(stream, handler, code, cause);
  }

  endAll(code: ErrorName): void {
    for (const stream of this.#around.table.values()) this.end(stream, errorCode[code], 'connection');
  }

  #complete(stream: Http2Stream): void {
    this.#forget(stream);
    // The answer has been given: nobody reads the request's rest. A client's handler may still read the response.
    if (this.#around.isServer) this.#around.flow.release(stream);
    this.#around.completed();
  }

  #cut(stream: Http2Stream): void {
    stream.isReset = true;
    this.#forget(stream);
    this.#around.flow.release(stream);
  }

  #forget(stream: Http2Stream): void {
    this.#around.table.remove(stream);
    this.#around.scheduler.forget(stream);
    stream.handler = undefined;
  }
}

/** Who is yet to deal with the stream hears of it then. */
// oxlint-disable-next-line max-params -- what a handler is told, and which one
function tell(
  stream: Http2Stream,
  handler: StreamHandler | undefined,
  code: number,
  cause: ResetCause,
): void {
  if (handler === undefined) stream.untold = { code, cause };
  else handler.reset(code, cause);
}
