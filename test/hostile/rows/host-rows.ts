// Rows T of the corpus that are about a host's name, the same over HTTP/1.1 and HTTP/2.

/** No host, by what may stand in Host or :authority. */
export const badHosts: readonly [name: string, host: string][] = [
  ['T02 a list', 'a,b'],
  ['T02 userinfo', 'u@a'],
  ['T02 a path', 'a/b'],
  ['T02 a blank', 'a b'],
  ['T02 empty', ''],
  ['T02 port 0', 'a:0'],
  ['T02 port 65536', 'a:65536'],
  ['T02 an empty port', 'a:'],
  ['T02 a port of letters', 'a:http'],
  ['T02 a signed port', 'a:+80'],
  ['T02 an open bracket', '[::1'],
  ['T02 an address without brackets', '::1'],
  ['T02 a zone', '[fe80::1%25eth0]'],
  ['T02 a question mark', 'a?b'],
  ['T02 a percent triplet', 'a%2eexample'],
  ['T02 an empty label', 'a..example'],
  ['T06 longer than 253', `${'a.'.repeat(126)}aa`],
  ['T06 a label longer than 63', `${'a'.repeat(64)}.example`],
  ['T06 two trailing dots', 'a.example..'],
  ['T06 a dot alone', '.'],
];

/** What is forwarded for it. */
export const goodHosts: readonly [name: string, sent: string, host: string][] = [
  ['T06 upper case', 'A.ExAmPlE', 'a.example'],
  ['T06 a trailing dot', 'a.example.', 'a.example'],
  ['T06 a trailing dot before the port', 'A.example.:8080', 'a.example:8080'],
  ['T06 an A-label', 'XN--Bcher-KVA.example', 'xn--bcher-kva.example'],
  ['T06 253 characters', `${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
  ['T06 an IPv6 address', '[2001:DB8::1]:80', '[2001:db8::1]:80'],
];
