import type { ClientAuth, TableAuthority } from '../table/route-table.ts';
import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
import type { LinearRegex, RegexFault } from '../util/linear-regex.ts';

/** What clients of a host have to show, ready to judge by. Kept across tables while the host's entry stays. */
export interface LinkedClientAuth {
  readonly mode: ClientAuth['mode'];
  /** Digest of what handshakes are held to; '' when `closed`. Hosts with the same one take each other's connections. */
  readonly policy: string;
  /** Who is believed; undefined when `closed`: then nobody is asked. Kept by identity while its digest stays. */
  readonly authority: TableAuthority | undefined;
  readonly verifyDepth: number;
  /** Must occur at the start of a `CN=…` of the subject. */
  readonly commonName: LinearRegex | undefined;
  /** An absolute URL, or ''. */
  readonly errorPage: string;
  readonly passCertificate: boolean;
}

/** An absolute URL of the web that can stand in a header field. */
const webUrl = /^https?:\/\/[\x21-\x7e]+$/i;

/** Never throws: what cannot be had as declared is closed, so that a host is never less protected than it says. */
export function linkClientAuth(
  auth: ClientAuth,
  authorityOf: (id: string) => TableAuthority | undefined,
): LinkedClientAuth {
  const { mode, authority: ref, verifyDepth, passCertificate } = auth;
  const authority = ref === undefined ? undefined : authorityOf(ref.id);
  const commonName = auth.matchCommonName === undefined ? undefined : atStart(auth.matchCommonName);
  if (mode === 'closed' || authority === undefined || authority.digest !== ref?.digest) return closed;
  if (commonName !== undefined && isRegexFault(commonName)) return closed;
  return {
    mode,
    policy: `${authority.id} ${authority.digest} ${verifyDepth}`,
    authority,
    verifyDepth,
    commonName,
    errorPage: auth.errorPage !== undefined && webUrl.test(auth.errorPage) ? auth.errorPage : '',
    passCertificate,
  };
}

/** A name must not bring another one along in its middle. */
function atStart(pattern: string): LinearRegex | RegexFault {
  const alone = compileLinear(pattern);
  return isRegexFault(alone) ? alone : compileLinear(`^(?:${pattern})`);
}

const closed: LinkedClientAuth = {
  mode: 'closed',
  policy: '',
  authority: undefined,
  verifyDepth: 0,
  commonName: undefined,
  errorPage: '',
  passCertificate: false,
};
