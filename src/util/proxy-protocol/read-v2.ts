import { crc32c } from '../crc32c.ts';
import { addressText } from '../internet-address.ts';
import {
  CRC32C_TLV,
  MAX_V2_BYTES,
  V2_HEAD_BYTES,
  V2_SIGNATURE,
  v2Command,
  v2Family,
} from './proxy-header.ts';
import type { ProxiedConnection, ProxyHeaderFault, ProxyHeaderRead } from './proxy-header.ts';

/** Bytes of both addresses, with their ports. */
const addressBlocks: ReadonlyMap<number, number> = new Map([
  [v2Family.unspecified, 0],
  [v2Family.tcp4, 12],
  [v2Family.udp4, 12],
  [v2Family.tcp6, 36],
  [v2Family.udp6, 36],
  [v2Family.unixStream, 216],
  [v2Family.unixDatagram, 216],
]);

const TLV_HEAD_BYTES = 3;
const CRC_BYTES = 4;
const NO_BYTES = Buffer.alloc(CRC_BYTES);

/** The binary header (§2.2): signature, command, family, length; addresses; TLVs, of which only a checksum is looked at. */
export function readV2(bytes: Buffer): ProxyHeaderRead {
  const signature = Math.min(bytes.length, V2_SIGNATURE.length);
  if (V2_SIGNATURE.compare(bytes, 0, signature, 0, signature) !== 0) return 'garbage';
  const command = bytes[12];
  if (command === undefined) return 'more';
  if (command !== v2Command.local && command !== v2Command.proxy) return 'garbage';
  const family = bytes[13];
  if (family === undefined) return 'more';
  const addresses = command === v2Command.local ? 0 : addressBlocks.get(family);
  if (addresses === undefined) return 'garbage';
  if (bytes.length < V2_HEAD_BYTES) return 'more';
  const end = V2_HEAD_BYTES + bytes.readUInt16BE(14);
  if (end > MAX_V2_BYTES) return 'oversize';
  if (end < V2_HEAD_BYTES + addresses) return 'garbage';
  if (bytes.length < end) return 'more';
  // What a LOCAL header holds beyond its head is to be ignored, whatever family it names.
  if (command === v2Command.local) return { header: { version: 2, connection: undefined }, bytes: end };
  const fault = tlvFault(bytes, V2_HEAD_BYTES + addresses, end);
  if (fault !== undefined) return fault;
  return { header: { version: 2, connection: readAddresses(bytes, family) }, bytes: end };
}

/** undefined for what no TCP connection has. */
function readAddresses(bytes: Buffer, family: number): ProxiedConnection | undefined {
  if (family !== v2Family.tcp4 && family !== v2Family.tcp6) return undefined;
  const size = family === v2Family.tcp4 ? 4 : 16;
  const destination = V2_HEAD_BYTES + size;
  const ports = destination + size;
  return {
    sourceAddress: addressText(bytes.subarray(V2_HEAD_BYTES, destination)),
    sourcePort: bytes.readUInt16BE(ports),
    destinationAddress: addressText(bytes.subarray(destination, ports)),
    destinationPort: bytes.readUInt16BE(ports + 2),
  };
}

/** What is wrong with the TLVs from `start` to `end` (§2.2.2): those that do not fill the place exactly, a wrong checksum. */
function tlvFault(bytes: Buffer, start: number, end: number): ProxyHeaderFault | undefined {
  let checksumAt = -1;
  for (let at = start; at < end;) {
    if (at + TLV_HEAD_BYTES > end) return 'garbage';
    const type = bytes[at];
    const value = at + TLV_HEAD_BYTES;
    const next = value + bytes.readUInt16BE(at + 1);
    if (next > end) return 'garbage';
    if (type === CRC32C_TLV) {
      if (next - value !== CRC_BYTES || checksumAt >= 0) return 'garbage';
      checksumAt = value;
    }
    at = next;
  }
  return checksumAt < 0 || isIntact(bytes, checksumAt, end) ? undefined : 'checksum';
}

/** The checksum is taken over the whole header with its own place set to 0 (§2.2.3). */
function isIntact(bytes: Buffer, checksumAt: number, end: number): boolean {
  const header = Buffer.from(bytes.subarray(0, end));
  NO_BYTES.copy(header, checksumAt);
  return crc32c(header) === bytes.readUInt32BE(checksumAt);
}
