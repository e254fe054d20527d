// The outer shape of a list of revoked certificates in DER (RFC 5280 §5.1): enough to tell it from a truncated file or from
// something else. Whether it is signed by its authority is judged where it is used.

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

interface Element {
  readonly tag: number;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

/** CertificateList: a sequence of tbsCertList (a sequence), signatureAlgorithm (a sequence) and signature (a bit string). */
export function isRevocationList(der: Buffer): boolean {
  const whole = readElement(der, 0, der.length);
  if (whole?.tag !== SEQUENCE || whole.end !== der.length) return false;
  const parts: number[] = [];
  for (let at = whole.start; at < whole.end;) {
    const part = readElement(der, at, whole.end);
    if (part === undefined) return false;
    parts.push(part.tag);
    at = part.end;
  }
  return parts.length === 3 && parts[0] === SEQUENCE && parts[1] === SEQUENCE && parts[2] === BIT_STRING;
}

/** The element at an offset; undefined when it does not end at or before `limit`. */
function readElement(der: Buffer, at: number, limit: number): Element | undefined {
  const [tag, first] = [der[at], der[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    // Four octets hold any length that an object may have; 0x80 itself is BER's open end, which DER does not have.
    const octets = first - 0x80;
    if (octets === 0 || octets > 4 || start + octets > limit) return undefined;
    length = der.readUIntBE(start, octets);
    start += octets;
  }
  const end = start + length;
  return end <= limit ? { tag, start, end } : undefined;
}
