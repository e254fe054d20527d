import { isUtf8 } from 'node:buffer';

/** One line of a stream: what it says as JSON, or why it says nothing. */
export type Line = { readonly value: unknown } | { readonly fault: LineFault };

export type LineFault =
  /** Longer than the limit. */
  | 'too-long'
  /** Bytes that are not UTF-8. */
  | 'not-utf8'
  | 'not-json'
  /** The stream ended in the middle of it. */
  | 'truncated';

/** An object may have 1.5 MiB in etcd and takes up more as JSON; this is far above it. */
const defaultMaxBytes = 16 * 1024 * 1024;
const lineFeed = 0x0a;

/**
 * Cuts a stream of bytes into lines of JSON (https://github.com/ndjson/ndjson-spec), wherever the pieces of the stream
 * happen to end. Blank lines mean nothing. After a fault nothing more can be trusted, and nothing more is handed out.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** Pieces of a line whose end has not come. */
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;
  #faulty = false;

  constructor(maxBytes: number = defaultMaxBytes) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in these bytes, in order; a fault is the last of them. */
  push(bytes: Uint8Array): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    while (!this.#faulty) {
      const end = bytes.indexOf(lineFeed, start);
      const rest = bytes.subarray(start, end === -1 ? bytes.length : end);
      if (this.#pendingBytes + rest.length > this.#maxBytes) {
        lines.push(this.#fault('too-long'));
        break;
      }
      if (rest.length > 0) {
        this.#pieces.push(rest);
        this.#pendingBytes += rest.length;
      }
      if (end === -1) break;
      start = end + 1;
      const line = this.#take();
      if (line !== undefined) lines.push(line);
    }
    return lines;
  }

  /** The stream is over: a fault when it ended inside a line. */
  end(): Line | undefined {
    if (this.#faulty || this.#pendingBytes === 0) return undefined;
    return this.#fault('truncated');
  }

  #take(): Line | undefined {
    const [first] = this.#pieces;
    if (first === undefined) return undefined;
    const bytes = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces, this.#pendingBytes);
    this.#clear();
    if (!isUtf8(bytes)) return this.#fault('not-utf8');
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    if (text.trim() === '') return undefined;
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      return this.#fault('not-json');
    }
  }

  #fault(fault: LineFault): Line {
    this.#faulty = true;
    this.#clear();
    return { fault };
  }

  #clear(): void {
    this.#pieces = [];
    this.#pendingBytes = 0;
  }
}
