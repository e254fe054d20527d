// The PROXY protocol, versions 1 and 2: what a proxy says ahead of a TCP stream about the connection that it forwards.
// In: bytes of a stream, or addresses. Out: what they say, or the bytes to send. Pure: who may send such a header, and how
// long it may take, is judged elsewhere. Source: "The PROXY protocol", versions 1 & 2, of HAProxy's documentation; section
// numbers are its. Imports nothing but its neighbours in util.

/** Both ends of the connection that is forwarded. Addresses are canonical text, of one family or of both. */
export interface ProxiedConnection {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

export interface ProxyHeader {
  readonly version: 1 | 2;
  /**
   * undefined where the other side speaks for itself: LOCAL, UNKNOWN, or a family that TCP connections do not have. The
   * addresses of the TCP connection count then.
   */
  readonly connection: ProxiedConnection | undefined;
}

/** `garbage`: no such header. `oversize`: longer than may be. `checksum`: it was damaged on its way. */
export type ProxyHeaderFault = 'garbage' | 'oversize' | 'checksum';

/** `more`: all is well so far. `bytes`: length of the header; what follows is the stream's own. */
export type ProxyHeaderRead =
  'more' | ProxyHeaderFault | { readonly header: ProxyHeader; readonly bytes: number };

/** With its CRLF (§2.1). */
export const MAX_V1_BYTES = 107;
/** Of all a header of version 2, its TLVs included. The protocol would allow 65,551; what is sent is about 100. */
export const MAX_V2_BYTES = 4096;

export const V2_SIGNATURE: Buffer = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
export const V2_HEAD_BYTES = 16;

export const v2Command = { local: 0x20, proxy: 0x21 } as const;
/** Family and protocol in one byte (§2.2). */
export const v2Family = {
  unspecified: 0x00,
  tcp4: 0x11,
  udp4: 0x12,
  tcp6: 0x21,
  udp6: 0x22,
  unixStream: 0x31,
  unixDatagram: 0x32,
} as const;
/** §2.2.3. */
export const CRC32C_TLV = 0x03;
