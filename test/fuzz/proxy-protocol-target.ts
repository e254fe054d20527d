import { readProxyHeader } from '../../src/util/proxy-protocol/read-proxy-header.ts';
import { writeProxyHeader } from '../../src/util/proxy-protocol/write-proxy-header.ts';
import { mutate, randomBytes } from './messages.ts';
import type { Random } from './random.ts';
import type { FuzzTarget } from './targets.ts';

const starts = ['PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c'];

function randomAddress(random: Random): string {
  const groups = Array.from({ length: 8 }, () => random.pick([0, 0, 1, 0xffff, random.below(0x1_0000)]));
  if (random.chance(0.5))
    return groups
      .slice(0, 4)
      .map((group) => group & 0xff)
      .join('.');
  return groups.map((group) => group.toString(16)).join(':');
}

function randomHeader(random: Random): string {
  const [sourceAddress, destinationAddress] = [randomAddress(random), randomAddress(random)];
  const [sourcePort, destinationPort] = [random.below(70_000), random.below(70_000)];
  if (random.chance(0.4)) {
    const family = random.pick(['TCP4', 'TCP6', 'UNKNOWN', sourceAddress.includes(':') ? 'TCP6' : 'TCP4']);
    return `PROXY ${family} ${sourceAddress} ${destinationAddress} ${sourcePort} ${destinationPort}\r\n`;
  }
  const header = writeProxyHeader(
    {
      sourceAddress,
      sourcePort: sourcePort & 0xffff,
      destinationAddress,
      destinationPort: destinationPort & 0xffff,
    },
    { checksum: random.chance(0.5) },
  );
  return header.toString('latin1');
}

function randomStart(random: Random): string {
  if (random.chance(0.2)) return random.pick(starts) + randomBytes(random);
  const header = randomHeader(random);
  return (
    (random.chance(0.6) ? mutate(random, header) : header) + (random.chance(0.5) ? randomBytes(random) : '')
  );
}

/** Cut anywhere, a header is judged the same; what was read comes back when it is written. */
export const proxyProtocolTarget: FuzzTarget = {
  name: 'proxy-protocol',
  batch: 500,
  make: randomStart,
  check(input) {
    const bytes = Buffer.from(input, 'latin1');
    const whole = readProxyHeader(bytes);
    const told = JSON.stringify(whole);
    let first = '"more"';
    for (let end = 0; end <= bytes.length && first === '"more"'; end++) {
      first = JSON.stringify(readProxyHeader(bytes.subarray(0, end)));
    }
    if (first !== told) return `by bytes ${first}, whole ${told}`;
    if (typeof whole === 'string') return undefined;
    const again = readProxyHeader(writeProxyHeader(whole.header.connection, { checksum: true }));
    if (typeof again === 'string') return `read ${told}, written again ${again}`;
    const [before, after] = [whole.header.connection, again.header.connection].map((from) =>
      JSON.stringify(from),
    );
    return before === after ? undefined : `read ${before}, written again ${after}`;
  },
};
