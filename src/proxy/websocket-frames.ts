/** Bytes of a frame header before its payload length is known completely (RFC 6455 §5.2). */
const SHORT_HEADER = 2;

/** `Going away`, from a server and (with an all-zero mask) from a client. */
export const serverGoingAway: Buffer = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
export const clientGoingAway: Buffer = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

/** Follows one direction of a WebSocket, only far enough to know when a frame may be put between two others. */
export class FrameBoundary {
  #header: number[] = [];
  #payloadLeft = 0;

  /** Whether everything so far was whole frames. */
  get isAtBoundary(): boolean {
    return this.#payloadLeft === 0 && this.#header.length === 0;
  }

  consume(bytes: Buffer): void {
    let position = 0;
    while (position < bytes.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, bytes.length - position);
        this.#payloadLeft -= taken;
        position += taken;
        continue;
      }
      this.#header.push(bytes[position++] as number);
      if (this.#header.length < headerLength(this.#header)) continue;
      this.#payloadLeft = payloadLength(this.#header);
      this.#header = [];
    }
  }
}

function headerLength(header: readonly number[]): number {
  const second = header[1];
  if (second === undefined) return SHORT_HEADER;
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return SHORT_HEADER + extended + ((second & 0x80) === 0 ? 0 : 4);
}

function payloadLength(header: readonly number[]): number {
  const length = (header[1] as number) & 0x7f;
  if (length < 126) return length;
  let value = 0;
  for (const byte of header.slice(SHORT_HEADER, SHORT_HEADER + (length === 126 ? 2 : 8)))
    value = value * 256 + byte;
  return value;
}
