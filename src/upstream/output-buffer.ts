import { chunkHeader } from '../http1/message-writer.ts';

/** Output up to this size is joined for one system call; more goes out as a vector of its parts. */
const JOIN_BYTES = 4 * 1024;
/** More parts than this are copied into one buffer whatever they amount to: a body can come in single bytes. */
const MAX_PARTS = 16;
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

/**
 * Gathers what belongs together on the wire, so that head, body and chunk framing leave in one write. Chunked bytes that
 * leave together become one chunk (RFC 9112 §7.1), however they came.
 */
export class OutputBuffer {
  /** Valid below `#count`: the array never shrinks. */
  readonly #parts: OutputPart[] = [];
  #count = 0;
  #bytes = 0;
  /** Place of the open chunk's header, and the bytes that the chunk has so far; 0 bytes: no chunk is open. */
  #chunkAt = 0;
  #chunkBytes = 0;
  /** Whether a socket was given buffers, and no copies of them. */
  #gaveBuffers = false;

  add(part: OutputPart): void {
    if (this.#chunkBytes > 0) this.#closeChunk();
    this.#push(part);
  }

  /** Bytes of a chunked body; never empty, since an empty chunk would end it. */
  addChunked(bytes: Buffer): void {
    if (this.#chunkBytes === 0) {
      this.#chunkAt = this.#count;
      this.#push('');
    }
    this.#chunkBytes += bytes.length;
    this.#push(bytes);
  }

  /** Lets go of the parts too: bytes of a message must not stay as long as an idle connection does. */
  clear(): void {
    for (let index = 0; index < this.#count; index++) this.#parts[index] = '';
    this.#count = 0;
    this.#bytes = 0;
    this.#chunkBytes = 0;
  }

  /** Writes everything gathered. Returns false when the socket is full. */
  flush(socket: OutputSocket): boolean {
    if (this.#count === 0) return true;
    if (this.#chunkBytes > 0) this.#closeChunk();
    const taken =
      this.#bytes > JOIN_BYTES ? this.#writeParts(socket) : socket.write(this.#joinText(), 'latin1');
    this.clear();
    return taken;
  }

  /** Whether this socket, the one that everything is flushed to, still needs buffers that it was given. */
  isLending(socket: { readonly writableLength: number }): boolean {
    if (this.#gaveBuffers && socket.writableLength === 0) this.#gaveBuffers = false;
    return this.#gaveBuffers;
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

  #push(part: OutputPart): void {
    this.#parts[this.#count++] = part;
    this.#bytes += part.length;
  }

  #closeChunk(): void {
    const header = chunkHeader(this.#chunkBytes);
    this.#parts[this.#chunkAt] = header;
    this.#bytes += header.length;
    this.#chunkBytes = 0;
    this.#push(CRLF);
  }

  #writeParts(socket: OutputSocket): boolean {
    if (this.#count > MAX_PARTS) return socket.write(this.#joinBytes());
    let taken = true;
    this.#gaveBuffers = true;
    if (this.#count > 1) socket.cork();
    for (let index = 0; index < this.#count; index++) {
      const part = this.#parts[index] as OutputPart;
      taken = typeof part === 'string' ? socket.write(part, 'latin1') : socket.write(part);
    }
    if (this.#count > 1) socket.uncork();
    return taken;
  }

  #joinBytes(): Buffer {
    const joined = Buffer.allocUnsafe(this.#bytes);
    let offset = 0;
    for (let index = 0; index < this.#count; index++) {
      const part = this.#parts[index] as OutputPart;
      offset += typeof part === 'string' ? joined.write(part, offset, 'latin1') : part.copy(joined, offset);
    }
    return joined;
  }
}
