import { openLogSink } from './log-sink.ts';
import type { LogSink } from './log-sink.ts';

// The one writer of the process's log output, in the main thread. In: whole lines, from the main thread's log and
// from the workers' access logs. Out: the same lines in order, never interleaved, never cut by one another.
// `write` never waits: what the reader does not take is buffered up to a bound, then dropped by whole lines and
// counted. Imports nothing outside telemetry.

export interface LogWriterOptions {
  /** Default 1, standard output. */
  readonly fd?: number;
  /** Text that may wait for the reader. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Opens the sink; for tests. */
  readonly open?: (fd: number) => LogSink;
}

interface Waiting {
  readonly text: string;
  readonly bytes: number;
}

const defaultMaxBytes = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;
const newline = 0x0a;

export class LogWriter {
  readonly #sink: LogSink;
  readonly #maxBytes: number;
  #waiting: Waiting[] = [];
  /** Waiting or being written. */
  #bytes = 0;
  #writing = false;
  /** The last chunk stopped inside a line. */
  #midLine = false;
  #droppedLines = 0;
  #idle: (() => void)[] = [];

  constructor(options: LogWriterOptions = {}) {
    this.#sink = (options.open ?? openLogSink)(options.fd ?? 1);
    this.#maxBytes = options.maxBytes ?? defaultMaxBytes;
  }

  /** Lines that were not written: no room, a reader that has gone, a disk that is full. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  get waitingBytes(): number {
    return this.#bytes;
  }

  /** Takes one or more whole lines, each with its line end. Text that has no room is dropped as a whole. */
  write(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#droppedLines += countLines(text);
      return;
    }
    this.#waiting.push({ text, bytes });
    this.#bytes += bytes;
    if (!this.#writing) this.#pump();
  }

  /** Resolves with true when everything has been written or dropped, with false after `timeoutMs`. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.#bytes === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  #pump(): void {
    if (this.#waiting.length === 0) {
      const idle = this.#idle;
      this.#idle = [];
      for (const resolve of idle) resolve();
      return;
    }
    const text = this.#takeChunk();
    const opening = this.#midLine ? '\n' : '';
    const chunk = Buffer.from(opening + text);
    this.#writing = true;
    this.#sink.write(chunk, (written) => {
      this.#writing = false;
      this.#bytes -= chunk.length - opening.length;
      // A line that was cut is lost; the next chunk starts on a line of its own.
      if (written > 0) this.#midLine = chunk[written - 1] !== newline;
      this.#droppedLines += countLines(chunk.toString('latin1', Math.max(written, opening.length)));
      this.#pump();
    });
  }

  #takeChunk(): string {
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && bytes < chunkBytes; count++) {
      bytes += (this.#waiting[count] as Waiting).bytes;
    }
    return this.#waiting
      .splice(0, count)
      .map((waiting) => waiting.text)
      .join('');
  }
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
