import { chunkHeader } from '../http1/message-writer.ts';

/** Output up to this size is joined for one system call; more goes out as a vector of its parts. */
const JOIN_BYTES = 4 * 1024;
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
  /** Valid below `#count`: the array never shrinks. */
  readonly #parts: OutputPart[] = [];
  #count = 0;
  #bytes = 0;

  add(part: OutputPart): void {
    this.#parts[this.#count++] = part;
    this.#bytes += part.length;
  }

  clear(): void {
    this.#count = 0;
    this.#bytes = 0;
  }

  /** Writes everything gathered. Returns false when the socket is full. */
  flush(socket: OutputSocket): boolean {
    if (this.#count === 0) return true;
    const taken = this.#count === 1 ? write(socket, this.#parts[0] as OutputPart) : this.#writeAll(socket);
    this.clear();
    return taken;
  }

  #writeAll(socket: OutputSocket): boolean {
    const parts = this.#parts;
    let taken = true;
    if (this.#bytes > JOIN_BYTES) {
      socket.cork();
      for (let index = 0; index < this.#count; index++) taken = write(socket, parts[index] as OutputPart);
      socket.uncork();
      return taken;
    }
    // As text: a string leaves without a buffer being allocated for it, which is the cheapest way for small messages.
    let text = '';
    for (let index = 0; index < this.#count; index++) {
      const part = parts[index] as OutputPart;
      text += typeof part === 'string' ? part : part.toString('latin1');
    }
    return socket.write(text, 'latin1');
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
