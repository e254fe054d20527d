import { crc32c } from '../crc32c.ts';
import { addressBytes, mappedBytes } from '../internet-address.ts';
import { CRC32C_TLV, V2_HEAD_BYTES, V2_SIGNATURE, v2Command, v2Family } from './proxy-header.ts';
import type { ProxiedConnection } from './proxy-header.ts';

const CRC_TLV_BYTES = 7;

export interface ProxyHeaderOptions {
  /** Adds a checksum, which a receiver that knows it must verify. */
  readonly checksum?: boolean;
}

/**
 * A header of version 2 (§2.2), to be sent ahead of everything else. undefined: LOCAL, for connections that are made for no
 * client (health checks). Where one end has an address of IPv4 and the other one of IPv6, both are told as IPv6.
 * Throws RangeError on what is no address.
 */
export function writeProxyHeader(
  connection: ProxiedConnection | undefined,
  { checksum = false }: ProxyHeaderOptions = {},
): Buffer {
  const addresses = connection === undefined ? Buffer.alloc(0) : addressBlock(connection);
  const tlvBytes = checksum ? CRC_TLV_BYTES : 0;
  const head = Buffer.alloc(V2_HEAD_BYTES);
  V2_SIGNATURE.copy(head);
  head[12] = connection === undefined ? v2Command.local : v2Command.proxy;
  head[13] = familyOf(addresses.length);
  head.writeUInt16BE(addresses.length + tlvBytes, 14);
  const header = Buffer.concat([head, addresses, Buffer.alloc(tlvBytes)]);
  if (checksum) addChecksum(header);
  return header;
}

function familyOf(addressesBytes: number): number {
  if (addressesBytes === 0) return v2Family.unspecified;
  return addressesBytes === 12 ? v2Family.tcp4 : v2Family.tcp6;
}

function addressBlock(connection: ProxiedConnection): Buffer {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = connection;
  const source = bytesOf(sourceAddress);
  const destination = bytesOf(destinationAddress);
  const isMixed = source.length !== destination.length;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return Buffer.concat([
    isMixed ? mappedBytes(source) : source,
    isMixed ? mappedBytes(destination) : destination,
    ports,
  ]);
}

function bytesOf(address: string): Uint8Array {
  const bytes = addressBytes(address);
  if (bytes === undefined)
    throw new RangeError(`Write a PROXY header: ${JSON.stringify(address)} is not an address`);
  return bytes;
}

/** Fills the TLV at the header's end. */
function addChecksum(header: Buffer): void {
  const at = header.length - CRC_TLV_BYTES;
  header[at] = CRC32C_TLV;
  header.writeUInt16BE(4, at + 1);
  header.writeUInt32BE(crc32c(header), at + 3);
}
