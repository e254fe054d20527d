/** What a field means to the codec; most mean nothing to it. */
export const Role = {
  none: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  /** Says who somebody is: must be ASCII, so that no two readers see two names. */
  identity: 7,
} as const;

export type Role = (typeof Role)[keyof typeof Role];

/** A field name in one spelling. Shared and flat: it never holds on to the head that it came from. */
export interface FieldName {
  readonly name: string;
  readonly lower: string;
  readonly role: Role;
}

/** Names beyond this length are not remembered; nor are more than so many of them. */
const MAX_LEARNED_LENGTH = 64;
const MAX_LEARNED = 1024;

const roles: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['host', Role.host],
  ['content-length', Role.contentLength],
  ['transfer-encoding', Role.transferEncoding],
  ['connection', Role.connection],
  ['upgrade', Role.upgrade],
  ['expect', Role.expect],
  ['authorization', Role.identity],
  ['proxy-authorization', Role.identity],
  ['forwarded', Role.identity],
  ['x-forwarded-for', Role.identity],
  ['x-forwarded-host', Role.identity],
  ['x-forwarded-proto', Role.identity],
  ['x-forwarded-port', Role.identity],
  ['x-real-ip', Role.identity],
]);

const common = [
  ...roles.keys(),
  ...'accept accept-encoding accept-language accept-ranges access-control-allow-origin age allow cache-control'.split(
    ' ',
  ),
  ...'content-disposition content-encoding content-language content-location content-range content-security-policy'.split(
    ' ',
  ),
  ...'content-type cookie date etag expires if-match if-modified-since if-none-match if-range keep-alive'.split(
    ' ',
  ),
  ...'last-modified link location origin pragma range referer retry-after sec-fetch-dest sec-fetch-mode'.split(
    ' ',
  ),
  ...'sec-fetch-site sec-websocket-key sec-websocket-version server set-cookie strict-transport-security te'.split(
    ' ',
  ),
  ...'traceparent tracestate trailer user-agent vary via www-authenticate x-request-id'.split(' '),
];

const known: ReadonlyMap<string, FieldName> = new Map(
  common.flatMap((lower) => {
    const title = lower.replaceAll(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());
    return [title, lower].map(
      (name) => [name, { name, lower, role: roles.get(lower) ?? Role.none }] as const,
    );
  }),
);

const learned = new Map<string, FieldName>();

/** Entries last seen, placed by a cheap hash: most names are found by one comparison, without a text or a map. */
const GUESSES = 1024;
const guesses: FieldName[] = Array.from({ length: GUESSES }, () => ({
  name: '',
  lower: '',
  role: Role.none,
}));
/** The same names as bytes, which are compared in a fifth of the time that texts take. */
const guessBytes: Buffer[] = Array.from({ length: GUESSES }, () => Buffer.alloc(0));

/** The shared entry of the name between two places of a buffer, which has been checked to be a token and not empty. */
export function fieldName(buffer: Buffer, start: number, end: number): FieldName {
  const length = end - start;
  const guess = guessOf(buffer, start, length);
  if (isAt(buffer, start, length, guessBytes[guess] as Buffer)) return guesses[guess] as FieldName;
  const name = buffer.toString('latin1', start, end);
  const found = known.get(name) ?? learned.get(name);
  // A guess is made from a name's second time on: a flood of made-up names must not cost more than its bytes.
  if (found === undefined) return learn(name);
  const bytes = Buffer.allocUnsafeSlow(length);
  buffer.copy(bytes, 0, start, end);
  guesses[guess] = found;
  guessBytes[guess] = bytes;
  return found;
}

/** No two of the usual names fall together: they differ in length or in one of three bytes. */
function guessOf(buffer: Buffer, start: number, length: number): number {
  const middle = buffer[start + (length >> 1)] as number;
  const third = buffer[start + (length > 3 ? length - 3 : 0)] as number;
  return (length * 131 + (buffer[start] as number) * 7 + middle * 19 + third * 29) & (GUESSES - 1);
}

// oxlint-disable-next-line max-params -- a range and what it is compared with, hot
function isAt(buffer: Buffer, start: number, length: number, name: Buffer): boolean {
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++) if (buffer[start + index] !== name[index]) return false;
  return true;
}

function learn(name: string): FieldName {
  const lower = name.toLowerCase();
  const entry: FieldName = { name, lower, role: roles.get(lower) ?? Role.none };
  if (name.length > MAX_LEARNED_LENGTH) return entry;
  // Starting anew is the cheapest bound that a flood of made-up names cannot turn against the real ones for long.
  if (learned.size >= MAX_LEARNED) learned.clear();
  learned.set(name, entry);
  return entry;
}
