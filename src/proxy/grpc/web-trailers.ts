import type { HeaderList } from '../../util/header-list.ts';

/** First byte of a frame that holds trailers, uncompressed (gRPC-Web, "Message framing"). */
const TRAILERS_FLAG = 0x80;
const FRAME_HEAD_BYTES = 5;

/** Trailers as the last frame of a body: their lines, in lower case, behind a flag and a length. */
export function trailersFrame(trailers: HeaderList): Buffer {
  let text = '';
  for (let index = 0; index < trailers.length; index++) {
    text += `${trailers.lower[index] as string}:${trailers.values[index] as string}\r\n`;
  }
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + text.length);
  frame.writeUInt8(TRAILERS_FLAG, 0);
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, FRAME_HEAD_BYTES, 'latin1');
  return frame;
}
