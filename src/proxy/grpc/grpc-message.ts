const PLAIN = /^[\x20-\x24\x26-\x7e]*$/;
const NOT_PLAIN = /[^\x20-\x24\x26-\x7e]/gu;

/** The value of grpc-message for a text: its UTF-8, where all but printable ASCII and `%` itself is percent-encoded. */
export function encodeGrpcMessage(text: string): string {
  return PLAIN.test(text) ? text : text.toWellFormed().replace(NOT_PLAIN, encodeBytes);
}

function encodeBytes(character: string): string {
  let encoded = '';
  for (const byte of Buffer.from(character, 'utf8')) {
    encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
