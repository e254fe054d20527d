// Hosts and authorities as filters accept them from users, and as they write them into Host and Location.

/** Longest host name (RFC 1035), and a port. */
export const MAX_AUTHORITY_LENGTH = 253 + ':65535'.length;

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const IPV6 = String.raw`\[[0-9A-Fa-f:.]{2,45}\]`;
export const HOST_PATTERN = `^(?:${LABEL}(?:\\.${LABEL})*|${IPV6})$`;
export const AUTHORITY_PATTERN = `^(?:${LABEL}(?:\\.${LABEL})*|${IPV6})(?::[0-9]{1,5})?$`;

const HOST = new RegExp(HOST_PATTERN);
const PORT = /:([0-9]{1,5})$/;

/** A DNS name, IPv4 address or bracketed IPv6 address, without a port. */
export function isHost(text: string): boolean {
  return text.length <= 253 && HOST.test(text);
}

/** A host, with a port from 1 to 65535 if there is one. */
export function isAuthority(text: string): boolean {
  const port = PORT.exec(text.startsWith('[') ? text.slice(text.indexOf(']') + 1) : text);
  if (port === null) return isHost(text);
  const number = Number(port[1]);
  return number >= 1 && number <= 65_535 && isHost(text.slice(0, -port[0].length));
}

/** `host`, or `host:port` when the port is not the scheme's own. */
export function formatAuthority(scheme: string, host: string, port: number): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return port === defaultPort(scheme) ? bracketed : `${bracketed}:${port}`;
}

export function defaultPort(scheme: string): number {
  return scheme === 'https' ? 443 : 80;
}
