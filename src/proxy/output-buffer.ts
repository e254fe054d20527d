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
    const taken =
      this.#bytes > JOIN_BYTES ? this.#writeParts(socket) : socket.write(this.#joinText(), 'latin1');
    this.clear();
    return taken;
  }

  /** As text: a string leaves without a buffer being allocated for it, which is the cheapest way for small messages. */
  #joinText(): string {
    let text = '';
    for (let index = 0; index < this.#count; index++) {
      const part = this.#parts[index] as OutputPart;
      text += typeof part === 'string' ? part : part.toString('latin1');
    }
    return text;
  }

  #writeParts(socket: OutputSocket): boolean {
    let taken = true;
    if (this.#count > 1) socket.cork();
    for (let index = 0; index < this.#count; index++) {
      const part = this.#parts[index] as OutputPart;
      taken = typeof part === 'string' ? socket.write(part, 'latin1') : socket.write(part);
    }
    if (this.#count > 1) socket.uncork();
    return taken;
  }
}

/** Body bytes as one chunk (RFC 9112 §7.1), without copying them. */
export function addChunk(output: { add(part: OutputPart): void }, bytes: Buffer): void {
  output.add(chunkHeader(bytes.length));
  output.add(bytes);
  output.add(CRLF);
}
