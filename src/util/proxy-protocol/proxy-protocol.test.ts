import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { crc32c } from '../crc32c.ts';
import { addressText, canonicalAddress } from '../internet-address.ts';
import { MAX_V2_BYTES, V2_SIGNATURE } from './proxy-header.ts';
import type { ProxiedConnection, ProxyHeaderRead } from './proxy-header.ts';
import { readProxyHeader } from './read-proxy-header.ts';
import { writeProxyHeader } from './write-proxy-header.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (text: string): ProxyHeaderRead => readProxyHeader(latin1(text));

/** `source:port destination:port` of what was read, `peer` for none, or the verdict. */
function told(result: ProxyHeaderRead): string {
  if (typeof result === 'string') return result;
  const { connection } = result.header;
  if (connection === undefined) return 'peer';
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = connection;
  return `${sourceAddress} ${sourcePort} ${destinationAddress} ${destinationPort}`;
}

/** A binary header of its parts; `length` may lie. */
function v2(parts: { command?: number; family?: number; body?: Buffer; length?: number }): Buffer {
  const { command = 0x21, family = 0x11, body = Buffer.alloc(0), length = body.length } = parts;
  return Buffer.concat([V2_SIGNATURE, Buffer.from([command, family, length >>> 8, length & 0xff]), body]);
}

const tlv = (type: number, value: Buffer | string, length = value.length): Buffer =>
  Buffer.concat([
    Buffer.from([type, length >>> 8, length & 0xff]),
    typeof value === 'string' ? latin1(value) : value,
  ]);

const addresses4 = Buffer.from('c0000201c0000202126701bb', 'hex');
const told4 = '192.0.2.1 4711 192.0.2.2 443';

describe('version 1', () => {
  test.each([
    ['TCP4 192.0.2.1 192.0.2.2 4711 443', told4],
    ['TCP4 255.255.255.255 255.255.255.255 65535 65535', '255.255.255.255 65535 255.255.255.255 65535'],
    ['TCP4 0.0.0.0 0.0.0.0 0 0', '0.0.0.0 0 0.0.0.0 0'],
    ['TCP6 2001:DB8::1 ::1 1 2', '2001:db8::1 1 ::1 2'],
    [
      `TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535`,
      `${'ffff:'.repeat(7)}ffff 65535 ${'ffff:'.repeat(7)}ffff 65535`,
    ],
    ['TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 4711 443', told4],
    ['UNKNOWN', 'peer'],
    ['UNKNOWN ', 'peer'],
    ['UNKNOWN whatever this may be', 'peer'],
  ])('PROXY %s', (line, expected) => {
    const text = `PROXY ${line}\r\n`;
    expect(told(read(text))).toBe(expected);
    expect(read(`${text}GET /`)).toMatchObject({ header: { version: 1 }, bytes: text.length });
  });

  test.each([
    'TCP4 192.0.2.1 192.0.2.2 4711 443 ',
    'TCP4 192.0.2.1 192.0.2.2 4711 443 5',
    'TCP4 192.0.2.1 192.0.2.2 4711',
    'TCP4  192.0.2.1 192.0.2.2 4711 443',
    ' TCP4 192.0.2.1 192.0.2.2 4711 443',
    'TCP4\t192.0.2.1 192.0.2.2 4711 443',
    'tcp4 192.0.2.1 192.0.2.2 4711 443',
    'TCP5 192.0.2.1 192.0.2.2 4711 443',
    'TCP4 192.0.2.1 192.0.2.2 04711 443',
    'TCP4 192.0.2.1 192.0.2.2 65536 443',
    'TCP4 192.0.2.1 192.0.2.2 4711 00',
    'TCP4 192.0.2.1 192.0.2.2 +1 443',
    'TCP4 192.0.2.1 192.0.2.2 -1 443',
    'TCP4 192.0.2.1 192.0.2.2 0x1 443',
    'TCP4 192.0.2.1 192.0.2.2 4711 443\0',
    'TCP4 192.0.2.01 192.0.2.2 4711 443',
    'TCP4 192.0.2 192.0.2.2 4711 443',
    'TCP4 192.0.2.256 192.0.2.2 4711 443',
    'TCP4 ::1 ::1 4711 443',
    'TCP6 192.0.2.1 192.0.2.2 4711 443',
    'TCP6 fe80::1%eth0 ::1 4711 443',
    'TCP6 [::1] ::1 4711 443',
    'TCP6 1::2::3 ::1 4711 443',
    'UNKNOWN\0',
    'UNKNOWNX',
    '',
  ])('PROXY %j is refused', (line) => {
    expect(read(`PROXY ${line}\r\n`)).toBe('garbage');
  });

  test.each([
    ['line feed alone', 'PROXY UNKNOWN\n'],
    ['carriage return alone', 'PROXY UNKNOWN\rx'],
    ['two carriage returns', 'PROXY UNKNOWN\r\r\n'],
    ['lower case', 'proxy UNKNOWN\r\n'],
    ['another word', 'PROXI'],
    ['a method that begins alike', 'PROPFIND / HTTP/1.1\r\n'],
    ['a byte of UTF-8', 'PROXY UNKNOWN \xc3\xa9\r\n'],
    ['a request', 'GET / HTTP/1.1\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00'],
  ])('%s', (_name, text) => {
    expect(read(text)).toBe('garbage');
  });

  test('107 bytes at most', () => {
    const line = (bytes: number): string => `PROXY UNKNOWN ${'x'.repeat(bytes - 16)}\r\n`;
    expect(line(107)).toHaveLength(107);
    expect(told(read(line(107)))).toBe('peer');
    expect(read(line(108))).toBe('oversize');
    expect(read(line(500))).toBe('oversize');
    expect(read(line(108).slice(0, 106))).toBe('more');
    expect(read(line(108).slice(0, 107))).toBe('oversize');
  });
});

describe('version 2', () => {
  const checked = (body: Buffer): Buffer => {
    const header = v2({ body: Buffer.concat([body, tlv(3, Buffer.alloc(4))]) });
    header.writeUInt32BE(crc32c(header), header.length - 4);
    return header;
  };
  const with4 = (...tlvs: readonly Buffer[]): Buffer => v2({ body: Buffer.concat([addresses4, ...tlvs]) });

  test.each<[string, Buffer, string]>([
    ['TCP over IPv4', v2({ body: addresses4 }), told4],
    [
      'TCP over IPv6',
      v2({
        family: 0x21,
        body: Buffer.from(`20010db8${'00'.repeat(11)}01${'00'.repeat(15)}0100010002`, 'hex'),
      }),
      '2001:db8::1 1 ::1 2',
    ],
    ['unspecified', v2({ family: 0 }), 'peer'],
    ['unspecified, with TLVs', v2({ family: 0, body: tlv(4, 'abc') }), 'peer'],
    ['UDP over IPv4', v2({ family: 0x12, body: addresses4 }), 'peer'],
    ['UDP over IPv6', v2({ family: 0x22, body: Buffer.alloc(36) }), 'peer'],
    ['a Unix socket', v2({ family: 0x31, body: Buffer.alloc(216) }), 'peer'],
    ['a Unix datagram', v2({ family: 0x32, body: Buffer.alloc(216) }), 'peer'],
    ['LOCAL', v2({ command: 0x20, family: 0 }), 'peer'],
    ['LOCAL with addresses', v2({ command: 0x20, body: addresses4 }), 'peer'],
    ['LOCAL with anything', v2({ command: 0x20, family: 0xff, body: Buffer.alloc(100, 1) }), 'peer'],
    ['TLVs, unknown or empty', with4(tlv(4, 'padding'), tlv(0xea, ''), tlv(0x20, 'x')), told4],
    ['a checksum', checked(addresses4), told4],
    ['a checksum behind other TLVs', checked(Buffer.concat([addresses4, tlv(5, 'id')])), told4],
    ['as long as may be', with4(tlv(4, Buffer.alloc(MAX_V2_BYTES - 16 - 12 - 3))), told4],
  ])('%s', (_name, bytes, expected) => {
    expect(told(readProxyHeader(bytes))).toBe(expected);
    const longer = Buffer.concat([bytes, Buffer.from('GET /')]);
    expect(readProxyHeader(longer)).toMatchObject({ header: { version: 2 }, bytes: bytes.length });
  });

  test.each<[string, Buffer, string]>([
    ['version 1 in binary', v2({ command: 0x11, body: addresses4 }), 'garbage'],
    ['version 3', v2({ command: 0x31, body: addresses4 }), 'garbage'],
    ['an unknown command', v2({ command: 0x22, body: addresses4 }), 'garbage'],
    ['an unknown family', v2({ family: 0x41, body: addresses4 }), 'garbage'],
    ['a family without protocol', v2({ family: 0x10, body: addresses4 }), 'garbage'],
    ['a protocol without family', v2({ family: 0x01, body: addresses4 }), 'garbage'],
    ['an unknown protocol', v2({ family: 0x13, body: addresses4 }), 'garbage'],
    ['addresses cut', v2({ body: addresses4.subarray(1) }), 'garbage'],
    ['addresses of the other family', v2({ family: 0x21, body: addresses4 }), 'garbage'],
    ['a byte behind the addresses', with4(Buffer.from([4])), 'garbage'],
    ['half a TLV head', with4(Buffer.from([4, 0])), 'garbage'],
    ['a TLV beyond the end', with4(tlv(4, 'ab', 3)), 'garbage'],
    ['a TLV far beyond the end', with4(tlv(4, 'ab', 65_535)), 'garbage'],
    ['a wrong checksum', with4(tlv(3, 'abcd')), 'checksum'],
    ['a checksum of 3 bytes', with4(tlv(3, 'abc')), 'garbage'],
    ['two checksums', with4(tlv(3, 'abcd'), tlv(3, 'abcd')), 'garbage'],
    ['too long', with4(tlv(4, Buffer.alloc(MAX_V2_BYTES - 16 - 12 - 2))), 'oversize'],
    ['far too long, of which nothing has come', v2({ length: 65_535 }), 'oversize'],
    ['LOCAL, too long', v2({ command: 0x20, length: MAX_V2_BYTES }), 'oversize'],
    ['another signature', latin1('\r\n\r\n\0\r\nQUIT\r'), 'garbage'],
    ['empty lines', latin1('\r\n\r\nGET / HTTP/1.1\r\n'), 'garbage'],
  ])('%s is refused', (_name, bytes, expected) => {
    expect(readProxyHeader(bytes)).toBe(expected);
  });

  test('every bit of a checked header counts', () => {
    const good = checked(Buffer.concat([addresses4, tlv(4, 'x')]));
    for (let bit = 8 * 16; bit < 8 * good.length; bit++) {
      const bad = Buffer.from(good);
      bad[bit >>> 3] = (bad[bit >>> 3] as number) ^ (1 << (bit & 7));
      expect(['garbage', 'checksum', told4]).toContain(told(readProxyHeader(bad)));
      // One that says it is no checksum is not looked at.
      if (bad[good.length - 7] === 3) expect(told(readProxyHeader(bad))).not.toBe(told4);
    }
  });
});

describe('any header', () => {
  const port = fc.nat(65_535);
  const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(addressText);
  const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(addressText);
  const connection = (address: fc.Arbitrary<string>): fc.Arbitrary<ProxiedConnection> =>
    fc.record({
      sourceAddress: address,
      sourcePort: port,
      destinationAddress: address,
      destinationPort: port,
    });
  const anyConnection = fc.oneof(connection(v4), connection(v6), connection(fc.oneof(v4, v6)));
  const written = fc.oneof(
    fc
      .tuple(fc.option(anyConnection, { nil: undefined }), fc.boolean())
      .map(([from, checksum]) => writeProxyHeader(from, { checksum })),
    fc.oneof(
      connection(v4).map(line('TCP4')),
      connection(v6.filter((text) => text.includes(':'))).map(line('TCP6')),
    ),
  );

  test('what is written is read', () => {
    fc.assert(
      fc.property(fc.option(anyConnection, { nil: undefined }), fc.boolean(), (from, checksum) => {
        const bytes = writeProxyHeader(from, { checksum });
        expect(readProxyHeader(bytes)).toEqual({
          header: { version: 2, connection: from },
          bytes: bytes.length,
        });
      }),
    );
  });

  test('cut anywhere, it wants more, and nothing behind it changes what was read', () => {
    fc.assert(
      fc.property(written, fc.uint8Array({ maxLength: 50 }), (bytes, behind) => {
        for (let end = 0; end < bytes.length; end++) {
          expect(readProxyHeader(bytes.subarray(0, end))).toBe('more');
        }
        expect(readProxyHeader(Buffer.concat([bytes, behind]))).toEqual(readProxyHeader(bytes));
      }),
    );
  });

  test('a verdict stands, whatever follows; nothing throws, nothing is read beyond the bounds', () => {
    const damaged = fc.tuple(written, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      const copy = Buffer.from(bytes);
      copy[at % copy.length] = value;
      return copy;
    });
    const begun = fc
      .tuple(
        fc.constantFrom(
          'PROXY ',
          'PROXY TCP4 ',
          V2_SIGNATURE.toString('latin1'),
          '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c',
        ),
        fc.uint8Array({ maxLength: 200 }),
      )
      .map(([start, rest]) => Buffer.concat([latin1(start), rest]));
    fc.assert(
      fc.property(fc.oneof(damaged, begun), (bytes) => {
        const whole = readProxyHeader(bytes);
        const verdicts = Array.from({ length: bytes.length + 1 }, (_, end) =>
          readProxyHeader(bytes.subarray(0, end)),
        );
        const first = verdicts.find((verdict) => verdict !== 'more') ?? 'more';
        expect(first).toEqual(whole);
        if (typeof whole === 'string') return;
        expect(whole.bytes).toBeLessThanOrEqual(bytes.length);
        const { sourceAddress } = whole.header.connection ?? { sourceAddress: '::' };
        expect(canonicalAddress(sourceAddress)).toBe(sourceAddress);
      }),
      { numRuns: 1000 },
    );
  });

  test('what is no address is not written', () => {
    const from = { sourceAddress: 'a.example', sourcePort: 1, destinationAddress: '::1', destinationPort: 2 };
    expect(() => writeProxyHeader(from)).toThrow(RangeError);
  });
});

/** As version 1 tells it. */
function line(family: string): (connection: ProxiedConnection) => Buffer {
  return ({ sourceAddress, destinationAddress, sourcePort, destinationPort }) =>
    latin1(`PROXY ${family} ${sourceAddress} ${destinationAddress} ${sourcePort} ${destinationPort}\r\n`);
}
