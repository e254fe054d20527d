// Byte classes of HTTP/1.x (RFC 9110 §5.6.2, RFC 9112 §3, §5.5). One table, one bit a class: a scan is a load and a mask.

/** `tchar`: field names, Connection options, chunk extension names. */
export const TOKEN = 1;
/** What a field value or a reason phrase may contain: HTAB, SP, VCHAR and obs-text. */
export const TEXT = 2;
/** Upper-case letters, digits, `-` and `_`: the methods that could exist. */
export const METHOD = 4;
/** Printable ASCII but `#`: a request target. Which of them a path may hold is the business of normalisation. */
export const TARGET = 8;
/** `qdtext`: a quoted string without `"` and `\`. */
export const QUOTED = 16;

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

/** Indexed by byte; 256 entries. */
export const byteClass: Uint8Array = createTable();

function createTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0x21; byte <= 0x7e; byte++) table[byte] = TARGET;
  mark(table, '#', 0);
  for (let byte = 0x20; byte <= 0xff; byte++) if (byte !== 0x7f) add(table, byte, TEXT | QUOTED);
  add(table, TAB, TEXT | QUOTED);
  for (const char of '"\\') {
    const byte = char.charCodeAt(0);
    table[byte] = (table[byte] ?? 0) & ~QUOTED;
  }
  const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const digits = '0123456789';
  for (const char of upper + upper.toLowerCase() + digits + "!#$%&'*+-.^_`|~")
    add(table, char.charCodeAt(0), TOKEN);
  for (const char of `${upper}${digits}-_`) add(table, char.charCodeAt(0), METHOD);
  return table;
}

function add(table: Uint8Array, byte: number, bits: number): void {
  table[byte] = (table[byte] ?? 0) | bits;
}

function mark(table: Uint8Array, char: string, bits: number): void {
  table[char.charCodeAt(0)] = bits;
}

/** Whether every character is of the class; an empty text is. Characters above U+00FF never are. */
export function isAll(text: string, bits: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (((byteClass[text.charCodeAt(index)] ?? 0) & bits) === 0) return false;
  }
  return true;
}

/** A non-empty `token` (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return text.length > 0 && isAll(text, TOKEN);
}

/** Whether the text can be written as a field value: latin1, no control bytes but HTAB, no blanks at its edges. */
export function isFieldValue(text: string): boolean {
  if (!isAll(text, TEXT)) return false;
  return text.length === 0 || !(isBlank(text.charCodeAt(0)) || isBlank(text.charCodeAt(text.length - 1)));
}

/** SP or HTAB. */
export function isBlank(byte: number): boolean {
  return byte === SP || byte === TAB;
}

/** Whether every character is printable ASCII, SP or HTAB: what fields must be that decide about framing or routing. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7e) return false;
  return true;
}

/** Whether the bytes from `start` on are those of the ASCII `text`, as far as there are any before `end`. */
export function agrees(buffer: Buffer, start: number, end: number, text: string): boolean {
  const stop = Math.min(end - start, text.length);
  for (let index = 0; index < stop; index++)
    if (buffer[start + index] !== text.charCodeAt(index)) return false;
  return true;
}
