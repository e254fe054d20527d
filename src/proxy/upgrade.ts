/** Another version of HTTP, which would hide requests in the tunnel, or a list, of which a 101 may name any. */
const refused = /^h2|^http\b|,/;

/** The protocol that the upstream may be asked for; undefined when the upgrade is to be ignored (RFC 9110 §7.8). */
export function forwardedUpgrade(asked: string | undefined): string | undefined {
  return asked === undefined || refused.test(asked) ? undefined : asked;
}
