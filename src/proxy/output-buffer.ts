import { chunkHeader } from '../http1/message-writer.ts';

/** Output up to this size is copied into one buffer for one system call; more goes out as a vector of its parts. */
const JOIN_BYTES = 16 * 1024;
const CRLF = '\r\n';

/** A socket as far as output is concerned. */
export interface OutputSocket {
  cork(): void;
  uncork(): void;
  write(data: string, encoding: 'latin1'): boolean;
  write(data: Buffer): boolean;
}

/** Text (latin1) or bytes, in wire order. */
export type OutputPart = string | Buffer;

/** Gathers what belongs together on the wire, so that head, body and chunk framing leave in one write. */
export class OutputBuffer {
  readonly #parts: OutputPart[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  add(part: OutputPart): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  clear(): void {
    this.#parts.length = 0;
    this.#bytes = 0;
  }

  /** Writes everything gathered. Returns false when the socket is full. */
  flush(socket: OutputSocket): boolean {
    const parts = this.#parts;
    const first = parts[0];
    if (first === undefined) return true;
    const taken = parts.length === 1 ? write(socket, first) : this.#writeAll(socket);
    this.clear();
    return taken;
  }

  #writeAll(socket: OutputSocket): boolean {
    if (this.#bytes > JOIN_BYTES) {
      let taken = true;
      socket.cork();
      for (const part of this.#parts) taken = write(socket, part);
      socket.uncork();
      return taken;
    }
    const joined = Buffer.allocUnsafe(this.#bytes);
    let offset = 0;
    for (const part of this.#parts) {
      offset += typeof part === 'string' ? joined.write(part, offset, 'latin1') : part.copy(joined, offset);
    }
    return socket.write(joined);
  }
}

/** Body bytes as one chunk (RFC 9112 §7.1), without copying them. */
export function addChunk(output: { add(part: OutputPart): void }, bytes: Buffer): void {
  output.add(chunkHeader(bytes.length));
  output.add(bytes);
  output.add(CRLF);
}

function write(socket: OutputSocket, part: OutputPart): boolean {
  return typeof part === 'string' ? socket.write(part, 'latin1') : socket.write(part);
}
