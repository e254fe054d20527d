// Rows H of the corpus that are the same over HTTP/1.1 and HTTP/2.

/** What every upstream is told about a request for a.example from this machine. */
export const ours = {
  host: 'a.example',
  'x-real-ip': '127.0.0.1',
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-host': 'a.example',
  'x-forwarded-port': '80',
  'x-forwarded-proto': 'http',
  'x-forwarded-scheme': 'http',
  'x-scheme': 'http',
  'x-sallyport-hops': '1',
};

/** H01: removed, and written anew. */
export const forwardedFamily: readonly [name: string, value: string][] = [
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Forwarded-Port', '443'],
  ['X-Forwarded-Prefix', '/admin'],
  ['X-Forwarded-Server', 'evil.example'],
  ['X-Forwarded-Scheme', 'https'],
  ['X-Scheme', 'https'],
  ['X-Original-Forwarded-For', '10.0.0.1'],
  ['Forwarded', 'for=10.0.0.1;proto=https'],
  ['X-Real-IP', '10.0.0.1'],
  ['x-real-ip', '10.0.0.1'],
  ['X-FORWARDED-PROTO', 'https'],
];

/** H01: kept as X-Original-Forwarded-For. */
export const claimedAddresses: readonly [name: string, fields: readonly string[], claimed: string][] = [
  ['once', ['X-Forwarded-For: 10.0.0.1'], '10.0.0.1'],
  ['twice', ['X-Forwarded-For: 10.0.0.1', 'x-forwarded-for: 10.0.0.2'], '10.0.0.1, 10.0.0.2'],
  ['a list', ['X-Forwarded-For: 10.0.0.1, unknown'], '10.0.0.1, unknown'],
];

/** H02: aliases of fields that are ours. */
export const aliases: readonly string[] = [
  'X_Forwarded_For: 10.0.0.1',
  'X-Forwarded_For: 10.0.0.1',
  'x_real_ip: 10.0.0.1',
  'X_Forwarded_Proto: https',
  'X_Request_ID: abc',
  'Proxy_Authorization: Basic eDp5',
  'X_Sallyport_Hops: 1',
];

/** H06: a route for those who are admin, which marks what it forwards. */
const conditions = { headers: [{ name: 'x-role', type: 'exact', value: 'admin' }] } as const;
const filters = [
  {
    name: 'requestHeaders',
    config: { remove: [], set: [{ name: 'X-Matched', value: 'admin' }], add: [] },
  },
];
export const adminRoute = { conditions, filters };

/** H06: matched when any value is admin. */
export const roles: readonly [name: string, fields: readonly string[], matched: string | undefined][] = [
  ['user then admin', ['X-Role: user', 'X-Role: admin'], 'admin'],
  ['admin then user', ['X-Role: admin', 'X-Role: user'], 'admin'],
  ['admin between others', ['X-Role: a', 'x-role: admin', 'X-ROLE: b'], 'admin'],
  ['neither', ['X-Role: user', 'X-Role: guest'], undefined],
  ['admin as a part of a value', ['X-Role: administrator'], undefined],
];

/** H09: counts of hops that are not ours. */
export const oddHops: readonly string[] = [
  'x',
  '-1',
  '1.5',
  '',
  '0x1',
  '1e0',
  '1e400',
  '99999999999999999999',
];
