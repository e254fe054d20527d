import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';

// As much of RFC 6455 as short messages need: unfragmented frames of less than 126 bytes.

export const opcodes = { text: 1, close: 8 } as const;
export type Opcode = (typeof opcodes)[keyof typeof opcodes];

const MASK = Buffer.from([0x5a, 0x17, 0xe3, 0x08]);
const HEAD_BYTES = 2;

/** The answer to a Sec-WebSocket-Key. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

export interface FrameOptions {
  /** What clients send is masked. */
  readonly isMasked: boolean;
}

export function frame(opcode: Opcode, payload: Buffer, { isMasked }: FrameOptions): Buffer {
  if (payload.length > 125) throw new Error(`frame a message of ${payload.length} bytes: want 125 at most`);
  const head = Buffer.from([0x80 | opcode, payload.length | (isMasked ? 0x80 : 0)]);
  return isMasked ? Buffer.concat([head, MASK, masked(payload, MASK)]) : Buffer.concat([head, payload]);
}

/** Hears every frame of a stream; `told` gets its opcode and its payload, unmasked. */
export function readFrames(stream: Duplex, told: (opcode: number, payload: Buffer) => void): void {
  let kept: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    for (;;) {
      const [first = 0, second = 0] = kept;
      const maskBytes = (second & 0x80) === 0 ? 0 : MASK.length;
      const end = HEAD_BYTES + maskBytes + (second & 0x7f);
      if (kept.length < Math.max(HEAD_BYTES, end)) return;
      const payload = kept.subarray(HEAD_BYTES + maskBytes, end);
      const mask = kept.subarray(HEAD_BYTES, HEAD_BYTES + maskBytes);
      kept = kept.subarray(end);
      told(first & 0x0f, maskBytes === 0 ? payload : masked(payload, mask));
    }
  });
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % mask.length] ?? 0)));
}
