// Hosts and authorities as filters accept them from users, and as they write them into Host and Location. The patterns go
// into schemas and policies too, so they are RE2 and JavaScript alike and say everything that is checked.

/** Longest host name (RFC 1035), and a port. */
export const MAX_AUTHORITY_LENGTH = 253 + ':65535'.length;

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
/** Not to be taken for a number, decimal or hexadecimal: URL parsers read a host that ends in one as an IPv4 address. */
const LAST_LABEL = '(?:[A-Za-z_]|[0-9]+[A-WYZa-wyz_-])(?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = `${BYTE}(?:\\.${BYTE}){3}`;
const NAME_SOURCE = `(?:(?:${LABEL}\\.)*${LAST_LABEL}|${IPV4})`;
const HOST_SOURCE = `(?:${NAME_SOURCE}|\\[${ipv6Source()}\\])`;
const PORT_SOURCE =
  '(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';

/** A DNS name, IPv4 address or bracketed IPv6 address, with a port from 1 to 65535 if there is one. */
export const AUTHORITY_SOURCE = `${HOST_SOURCE}(?::${PORT_SOURCE})?`;
export const HOST_PATTERN = `^${HOST_SOURCE}$`;
export const AUTHORITY_PATTERN = `^${AUTHORITY_SOURCE}$`;

/**
 * The same as CEL rules for a schema: its `pattern` would be the whole message. In two halves, because the API server bounds
 * what a rule may cost by the length of its pattern.
 */
export const hostRules = celRules('', 'want a host name or address, without a port');
export const authorityRules = celRules(
  `(?::${PORT_SOURCE})?`,
  'want a host name or address, with a port if need be',
);

const HOST = new RegExp(HOST_PATTERN);
const AUTHORITY = new RegExp(AUTHORITY_PATTERN);

/** A DNS name, IPv4 address or bracketed IPv6 address, without a port. */
export function isHost(text: string): boolean {
  return text.length <= 253 && HOST.test(text);
}

/** A host, with a port from 1 to 65535 if there is one. */
export function isAuthority(text: string): boolean {
  return text.length <= MAX_AUTHORITY_LENGTH && AUTHORITY.test(text);
}

/** `host`, or `host:port` when the port is not the scheme's own. */
export function formatAuthority(scheme: string, host: string, port: number): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return port === defaultPort(scheme) ? bracketed : `${bracketed}:${port}`;
}

export function defaultPort(scheme: string): number {
  return scheme === 'https' ? 443 : 80;
}

/** Eight groups, or fewer with `::` for at least one (RFC 4291 §2.2); not the form that ends in an IPv4 address. */
function ipv6Source(): string {
  const group = '[0-9A-Fa-f]{1,4}';
  const shortened = [6, 5, 4, 3, 2, 1].map((most) => `(?:${group}:){1,${most}}(?::${group}){1,${7 - most}}`);
  return `(?:(?:${group}:){7}${group}|(?:${group}:){1,7}:|${shortened.join('|')}|:(?:(?::${group}){1,7}|:))`;
}

interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** `port` is the pattern of what may follow the host. */
function celRules(port: string, message: string): readonly Rule[] {
  const end = "self.indexOf(']')";
  const address = `self.substring(1, ${end})`;
  return [
    { rule: `self.startsWith('[') || self.matches(r'^${NAME_SOURCE}${port}$')`, message },
    {
      rule:
        `!self.startsWith('[') || (${end} > 0 && isIP(${address}) && ${address}.contains(':') && ` +
        `!${address}.contains('.') && self.substring(${end}).matches(r'^\\]${port}$'))`,
      message,
    },
  ];
}
