/** The reversed polynomial of Castagnoli. */
const POLYNOMIAL = 0x82f6_3b78;

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * POLYNOMIAL);
  return value;
});

/** CRC-32C (RFC 3309, RFC 9260 appendix A) of `buffer` from `start` to `end`, 0 to 2³² − 1. */
export function crc32c(buffer: Uint8Array, start = 0, end = buffer.length): number {
  let crc = 0xffff_ffff;
  for (let index = start; index < end; index++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (buffer[index] as number)) & 0xff] as number);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
