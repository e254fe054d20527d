import { quote } from '../filters/value-reader.ts';
import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import type { ClientAuth, EntryRef } from '../table/route-table.ts';
import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
import type { ObjectContext } from './object-context.ts';

// What clients of a host have to show, from annotations or a Route. What cannot be made as it is declared is made `closed`:
// every request of the host is refused. An authority that is gone or cannot be read is never replaced by what it was before.

/** The end of messages about what is closed. */
export const HOSTS_CLOSED = 'every request of its hosts is refused';

const CN = 'CN=';

export const closedClientAuth: ClientAuth = Object.freeze({
  mode: 'closed',
  verifyDepth: 1,
  passCertificate: false,
});

/** What is declared, its references looked up. */
export interface ClientAuthWish {
  readonly mode: Exclude<ClientAuth['mode'], 'closed'>;
  /** Undefined when it cannot be had, which was reported. */
  readonly authority: EntryRef | undefined;
  readonly verifyDepth: number;
  readonly matchCommonName: string | undefined;
  readonly errorPage: string | undefined;
  readonly passCertificate: boolean;
}

/** `field` is that of the pattern, `code` what a fault in it is reported as. */
export function makeClientAuth(
  wish: ClientAuthWish,
  { field, code }: { readonly field: string; readonly code: DiagnosticCode },
  context: ObjectContext,
): ClientAuth {
  const { mode, authority, verifyDepth, matchCommonName, errorPage, passCertificate } = wish;
  const fault = matchCommonName === undefined ? undefined : commonNameFault(matchCommonName);
  if (fault !== undefined) {
    context.report(code, field, `Got ${quote(matchCommonName ?? '')}, want ${fault}; ${HOSTS_CLOSED}`);
  }
  if (authority === undefined || fault !== undefined) return closedClientAuth;
  return {
    mode,
    authority,
    verifyDepth,
    ...(matchCommonName === undefined ? {} : { matchCommonName }),
    ...(errorPage === undefined ? {} : { errorPage }),
    passCertificate,
  };
}

/** What is wanted instead of a pattern for the common name; undefined for one that will do. */
export function commonNameFault(pattern: string): string | undefined {
  if (!pattern.startsWith(CN)) return `a regular expression that begins with ${CN}`;
  const regex = compileLinear(pattern);
  return isRegexFault(regex) ? `a regular expression in RE2 syntax: ${regex.reason}` : undefined;
}

/** Whether two ask clients for the same; how they answer those that do not have it may differ. */
export function asksForTheSame(a: ClientAuth, b: ClientAuth): boolean {
  return (
    a.mode === b.mode &&
    a.authority?.id === b.authority?.id &&
    a.verifyDepth === b.verifyDepth &&
    a.matchCommonName === b.matchCommonName
  );
}
