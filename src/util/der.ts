// The least of DER (ITU-T X.690) that certificates are written with. Values in, bytes out.

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const UTF8_STRING = 0x0c;
export const OCTET_STRING = 0x04;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const NULL = 0x05;
const OBJECT_IDENTIFIER = 0x06;
const GENERALIZED_TIME = 0x18;
const UTC_TIME = 0x17;

export function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(value.length)]), value]);
}

export const trueValue = element(BOOLEAN, Buffer.of(0xff));
export const nullValue = element(NULL);

/** An INTEGER from its octets, in two's complement. */
export function integer(...octets: readonly number[]): Buffer {
  return element(INTEGER, Buffer.from(octets));
}

/** Without leading zeros, and with its top bit clear: the same bytes give the same number. */
export function serialNumber(serial: Uint8Array): Buffer {
  const bytes = Buffer.from(serial);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return element(INTEGER, bytes);
}

export function bitString(bits: Buffer, unusedBits: number): Buffer {
  return element(BIT_STRING, Buffer.of(unusedBits), bits);
}

/** RFC 5280 §4.1.2.5: two digits for the year up to 2049. */
export function time(moment: Date): Buffer {
  const digits = `${moment.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return moment.getUTCFullYear() < 2050
    ? element(UTC_TIME, Buffer.from(digits.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(digits));
}

export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
}
