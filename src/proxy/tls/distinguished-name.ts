// Names of certificates as nginx prints them. Text in, text out.

/**
 * The text of RFC 2253: most specific part first, ASCII only. Comes in: what Node prints, which is escaped in the same way,
 * but has a part a line in the order of the certificate, ` + ` within parts of several values, and characters beyond ASCII;
 * undefined, whatever its types say, for a name without parts.
 */
export function rfc2253(printed: string | undefined): string {
  if (printed === undefined) return '';
  const parts = printed.split('\n').reverse();
  return parts
    .map((part) => splitValues(part).reverse().join('+'))
    .join(',')
    .replace(/[^\x20-\x7e]+/gu, escapeOctets);
}

/** `CN=…` of a name, each as in RFC 2253; most have one. */
export function commonNames(printed: string | undefined): readonly string[] {
  if (printed === undefined) return [];
  return printed
    .split('\n')
    .flatMap(splitValues)
    .filter((value) => value.startsWith('CN='))
    .map((value) => value.replace(/[^\x20-\x7e]+/gu, escapeOctets));
}

/** A plus sign inside a value is escaped, so that one with spaces around it stands between two. */
function splitValues(part: string): string[] {
  return part.split(' + ');
}

function escapeOctets(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex').toUpperCase().replace(/../g, '\\$&');
}
