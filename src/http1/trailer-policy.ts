/** What becomes of a trailer field (RFC 9110 §6.5.1): forwarded, left out, or a reason to refuse the message. */
export type TrailerFate = 'keep' | 'drop' | 'refuse';

const refused: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** Fields about routing, identity, control, content or the connection: they must come before the body or not at all. */
const dropped: ReadonlySet<string> = new Set(
  [
    'age authorization authentication-info cache-control connection cookie cookie2 date expect expires forwarded from host',
    'http2-settings if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive location max-forwards',
    'origin pragma proxy proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection range',
    'retry-after set-cookie set-cookie2 te trailer upgrade vary via warning www-authenticate x-real-ip x-request-id',
    'x-original-forwarded-for x-original-uri x-original-url x-rewrite-url x-scheme x-http-method-override',
    'x-client-cert client-cert client-cert-chain x-sallyport-hops',
  ].flatMap((line) => line.split(' ')),
);

/** What stands before the body is made or believed by us; behind it, nobody has looked at it. */
const identities: readonly string[] = ['x-forwarded-', 'x-auth-', 'ssl-client-'];

/** Decides by the lower-case name. `_` counts as `-`: readers further on may take one for the other. */
export function trailerFate(lowerName: string): TrailerFate {
  const name = lowerName.includes('_') ? lowerName.replaceAll('_', '-') : lowerName;
  if (refused.has(name)) return 'refuse';
  if (dropped.has(name) || identities.some((prefix) => name.startsWith(prefix))) return 'drop';
  // A digest can only be known when the content has gone by (RFC 9530 §2).
  return name.startsWith('content-') && name !== 'content-digest' ? 'drop' : 'keep';
}
