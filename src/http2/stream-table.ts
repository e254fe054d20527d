import { MAX_STREAM_ID } from './frames.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { Http2Tally } from './http2-tally.ts';
import { StreamHistory } from './stream-history.ts';
import type { Fate } from './stream-history.ts';

/** The streams of one connection: which are open, which are idle, and how those of the past ended (RFC 9113 §5.1). */
export class StreamTable {
  readonly #isServer: boolean;
  readonly #tally: Http2Tally;
  readonly #open = new Map<number, Http2Stream>();
  readonly #history = new StreamHistory();
  #lastPeerId = 0;
  #nextOwnId = 1;

  constructor(isServer: boolean, tally: Http2Tally) {
    this.#isServer = isServer;
    this.#tally = tally;
  }

  /** Streams that are open or half open. */
  get size(): number {
    return this.#open.size;
  }

  /** The peer's newest stream; 0 before the first. */
  get lastPeerId(): number {
    return this.#lastPeerId;
  }

  /** Client: the number of the next stream of ours; undefined when all have been used. */
  get nextOwnId(): number | undefined {
    return this.#nextOwnId > MAX_STREAM_ID ? undefined : this.#nextOwnId;
  }

  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  /** Streams may be removed while this runs. */
  values(): Iterable<Http2Stream> {
    return this.#open.values();
  }

  /** Whether the stream has not begun. Those of a server never do: push is off. */
  isIdle(id: number): boolean {
    if (id % 2 === 0) return true;
    return this.#isServer ? id > this.#lastPeerId : id >= this.#nextOwnId;
  }

  fateOf(id: number): Fate {
    return this.#history.fateOf(id);
  }

  /** The peer used this number, whether or not it becomes a stream. */
  beginPeer(id: number): void {
    this.#lastPeerId = id;
    this.#history.begin(id);
  }

  beginOwn(id: number): void {
    this.#nextOwnId = id + 2;
    this.#history.begin(id);
  }

  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream);
    this.#tally.streamOpened();
  }

  remove(stream: Http2Stream): void {
    if (this.#open.delete(stream.id)) this.#tally.streamClosed();
  }

  /** RST_STREAM of ours goes out: frames that the peer sent before it knows are no fault. */
  noteReset(id: number): void {
    this.#history.noteReset(id);
  }
}
