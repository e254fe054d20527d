// Origins (RFC 6454 §6.1) that may read answers: how they are written, and which of them a request's Origin is.

/** A host name or address, maybe with a port. */
const HOST = String.raw`(?:[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?`;
const SCHEME = '[A-Za-z][0-9A-Za-z+.-]*://';

/** With a scheme, `*` for one label. RE2. */
export const ORIGIN_SOURCE = String.raw`${SCHEME}(?:\*\.)?${HOST}`;
/** As ingress-nginx takes them: the scheme may be missing. RE2. */
export const LOOSE_ORIGIN_SOURCE = String.raw`(?:${SCHEME})?(?:\*\.)?${HOST}`;

const ANY = '*';
const LABEL = /^[0-9a-z-]+$/;
/** What may stand before an origin without a scheme: any scheme, then whole labels. */
const BEFORE_HOST = /^[a-z][0-9a-z+.-]*:\/\/(?:[0-9a-z_-]+\.)*$/;

/** Whether `origin`, in lower case, is allowed. */
type OriginTest = (origin: string) => boolean;

/** Tells what Access-Control-Allow-Origin says to a request with this Origin ('' for none); '' allows nothing. */
export type OriginPolicy = (origin: string) => string;

/**
 * `allowed`: origins in lower case, `null`, or `*` for all of them. Without regard to case an origin is allowed when it is
 * one of them, with one label in place of a `*`. One without a scheme stands for every scheme, and for all hosts below it.
 */
export function originPolicy(allowed: readonly string[]): OriginPolicy {
  if (allowed.includes(ANY)) return () => ANY;
  const exact = new Set(allowed.filter((entry) => entry === 'null' || isExact(entry)));
  const tests = allowed.filter((entry) => !exact.has(entry)).map(originTest);
  return (origin) => {
    const lower = origin.toLowerCase();
    return exact.has(lower) || tests.some((test) => test(lower)) ? origin : '';
  };
}

function isExact(entry: string): boolean {
  return entry.includes('://') && !entry.includes(ANY);
}

function originTest(entry: string): OriginTest {
  const star = entry.indexOf(ANY);
  if (!entry.includes('://')) return hostTest(star < 0 ? entry : entry.slice(star + 1), star >= 0);
  const before = entry.slice(0, star);
  const behind = entry.slice(star + 1);
  const least = before.length + behind.length;
  return (origin) =>
    origin.length > least &&
    origin.startsWith(before) &&
    origin.endsWith(behind) &&
    LABEL.test(origin.slice(before.length, -behind.length));
}

/** `suffix`: a host; with `below`, beginning with its dot, what is below it only. */
function hostTest(suffix: string, below: boolean): OriginTest {
  const host = below ? suffix.slice(1) : suffix;
  return (origin) => {
    if (!origin.endsWith(host)) return false;
    const before = origin.slice(0, -host.length);
    return BEFORE_HOST.test(before) && (!below || before.endsWith('.'));
  };
}
