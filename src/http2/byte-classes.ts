// What bytes texts of a head may be made of. Loops over a table: for texts of usual length they are done before a regular
// expression has begun.

/** Printable ASCII but `#`. What of it a path may hold is the business of normalisation. */
export const TARGET = 1;
/** uri-host and port, without userinfo (RFC 9113 §8.3.1). What of it is a host is the business of normalisation. */
export const AUTHORITY = 2;
/** `tchar` of RFC 9110 §5.6.2. */
export const TOKEN = 4;
/** The same without upper case. */
export const LOWER_TOKEN = 8;
/** Control bytes but HTAB: NUL, CR and LF are forbidden in values by §8.2.1, the others by RFC 9110 §5.5. */
export const CONTROL = 16;

/** Classes of each byte, as bits. */
const classes = new Uint8Array(256);

function mark(bit: number, from: number, to: number, without: string): void {
  for (let code = from; code <= to; code++) {
    if (!without.includes(String.fromCharCode(code))) classes[code] = (classes[code] as number) | bit;
  }
}

mark(TARGET, 0x21, 0x7e, '#');
mark(AUTHORITY, 0x21, 0x7e, '"#/<>?@\\^`{|}');
mark(TOKEN, 0x21, 0x7e, '"(),/:;<=>?@[\\]{}');
mark(LOWER_TOKEN, 0x21, 0x7e, '"(),/:;<=>?@[\\]{}ABCDEFGHIJKLMNOPQRSTUVWXYZ');
mark(CONTROL, 0x00, 0x1f, '\t');
mark(CONTROL, 0x7f, 0x7f, '');

/** Whether a latin1 text has no byte outside of the class. The empty text has none. */
export function isAll(text: string, bit: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (((classes[text.charCodeAt(index)] as number) & bit) === 0) return false;
  }
  return true;
}

/** Whether a latin1 text has a byte of the class. */
export function hasAny(text: string, bit: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (((classes[text.charCodeAt(index)] as number) & bit) !== 0) return true;
  }
  return false;
}
