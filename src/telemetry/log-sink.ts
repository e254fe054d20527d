import { constants, fstatSync, openSync, write } from 'node:fs';
import type { Stats } from 'node:fs';
import { Socket } from 'node:net';

/** Writes bytes somewhere without ever holding the event loop. One write at a time. */
export interface LogSink {
  /** `done` gets how many bytes were written: fewer than given when the rest is lost. Called later, never at once. */
  write(chunk: Buffer, done: (written: number) => void): void;
}

/** Pipes and sockets are written without blocking, terminals and files through the thread pool; a closed fd loses all. */
export function openLogSink(fd: number): LogSink {
  let stats: Stats;
  try {
    stats = fstatSync(fd);
  } catch {
    return { write: (_, done) => setImmediate(done, 0) };
  }
  if (stats.isFIFO() || stats.isSocket()) {
    try {
      return new StreamSink(new Socket({ fd, readable: false, writable: true }));
    } catch {
      // A kind of socket that Node has no stream for, such as a datagram socket.
      return new FileSink(fd);
    }
  }
  return new FileSink(stats.isCharacterDevice() ? reopenNonBlocking(fd) : fd);
}

/**
 * process.stdout would not do: it writes pipes synchronously on Linux, so a reader that stops would stop the
 * process. A socket over the same fd makes libuv use non-blocking writes and poll.
 */
class StreamSink implements LogSink {
  readonly #socket: Socket;
  #broken = false;
  #pending: ((written: number) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => this.#break());
    socket.on('close', () => this.#break());
  }

  write(chunk: Buffer, done: (written: number) => void): void {
    if (this.#broken) {
      setImmediate(done, 0);
      return;
    }
    this.#pending = done;
    this.#socket.write(chunk, (error) => {
      if (error) this.#break();
      else this.#settle(chunk.length);
    });
  }

  /** The reader has gone, which no later write can mend. */
  #break(): void {
    this.#broken = true;
    this.#settle(0);
  }

  #settle(written: number): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) setImmediate(pending, written);
  }
}

const againMs = 20;

class FileSink implements LogSink {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(chunk: Buffer, done: (written: number) => void): void {
    this.#writeFrom(chunk, 0, done);
  }

  #writeFrom(chunk: Buffer, offset: number, done: (written: number) => void): void {
    write(this.#fd, chunk, offset, chunk.length - offset, null, (error, count) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeFrom(chunk, offset, done), againMs);
        return;
      }
      const written = offset + (error === null ? count : 0);
      if (error !== null || written === chunk.length) done(written);
      else this.#writeFrom(chunk, written, done);
    });
  }
}

/**
 * A terminal whose output is stopped would hold a thread of the pool, and with it the end of the process. The fd that
 * we were given is shared with the shell, so only a description of our own may be made non-blocking.
 */
function reopenNonBlocking(fd: number): number {
  try {
    return openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}
