import { trimmed } from '../filters/annotation-grammar.ts';
import { quote } from '../filters/value-reader.ts';
import type { ClientAuth } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import { closedClientAuth, HOSTS_CLOSED, makeClientAuth } from './client-auth.ts';
import type { ClientAuthWish } from './client-auth.ts';
import type { VERIFY_CLIENT } from './client-auth-annotation-docs.ts';
import { resolveAuthority } from './credentials.ts';
import type { ObjectContext } from './object-context.ts';
import { parseNamespacedName } from './resolve-reference.ts';

const SECRET = 'auth-tls-secret';
const VERIFY = 'auth-tls-verify-client';
const MATCH = 'auth-tls-match-cn';

const modes = { on: 'on', optional: 'optional', optional_no_ca: 'optional-no-ca' } as const satisfies Record<
  Exclude<(typeof VERIFY_CLIENT)[number], 'off'>,
  ClientAuthWish['mode']
>;

/** What an Ingress asks of the clients of its hosts. */
export interface AnnotatedClientAuth {
  /** Absent: nothing. */
  readonly auth?: ClientAuth;
  /** Of the annotation that says so. */
  readonly field: string;
  /** False after a report: protection is asked for that cannot be told, so the object's routes must fail closed. */
  readonly usable: boolean;
}

/** `auth-tls-*`. Every value is looked at, whether the others make use of it or not. */
export function clientAuthFromAnnotations(
  reader: AnnotationReader,
  context: ObjectContext,
): AnnotatedClientAuth {
  const field = reader.path(SECRET);
  if (!reader.hasFamily('auth-tls-')) return { field, usable: true };
  const verify = (reader.text(VERIFY) || 'on') as (typeof VERIFY_CLIENT)[number];
  const values = {
    verifyDepth: reader.integer('auth-tls-verify-depth'),
    errorPage: readErrorPage(reader, context),
    passCertificate: reader.boolean('auth-tls-pass-certificate-to-upstream'),
    // White space belongs to a regular expression.
    matchCommonName: reader.get(MATCH) || undefined,
  };
  const secret = trimmed(reader.get(SECRET) ?? '');
  if (secret === '') return { field, usable: withoutSecret(reader, context) };
  const named = readSecret(secret, reader, context);
  if (verify === 'off') return { field, usable: isOffMeant(reader, context) };
  const authority = named && resolveAuthority({ kind: 'Secret', ...named, field }, HOSTS_CLOSED, context);
  const place = { field: reader.path(MATCH), code: 'SP4005' } as const;
  const auth = makeClientAuth({ mode: modes[verify], authority, ...values }, place, context);
  return { auth: named === undefined ? closedClientAuth : auth, field, usable: true };
}

/** Without a Secret nobody is asked: what asks for more than that must not be passed over. */
function withoutSecret(reader: AnnotationReader, context: ObjectContext): boolean {
  const given = [...reader.keys.keys()].filter(
    (name) => name.startsWith('auth-tls-') && trimmed(reader.get(name) ?? '') !== '',
  );
  const asks = given.find((name) => name === MATCH || (name === VERIFY && reader.text(VERIFY) !== 'off'));
  if (asks !== undefined) {
    const message = `Not serving the routes of this object: there is no ${SECRET} beside ${asks}, want the Secret with the authority`;
    context.report('SP4007', reader.path(asks), message);
    return false;
  }
  const [first] = given.filter((name) => name !== VERIFY);
  if (first !== undefined) {
    context.report('SP4004', reader.path(first), `Ignoring ${first}: there is no ${SECRET} beside it`);
  }
  return true;
}

/** With nobody asked, no common name can match. */
function isOffMeant(reader: AnnotationReader, context: ObjectContext): boolean {
  if ((reader.get(MATCH) ?? '') === '') return true;
  const message = `Not serving the routes of this object: nobody is asked for a certificate that ${MATCH} could match, want ${VERIFY} other than off`;
  context.report('SP4007', reader.path(MATCH), message);
  return false;
}

function readSecret(
  text: string,
  reader: AnnotationReader,
  context: ObjectContext,
): { readonly namespace: string; readonly name: string } | undefined {
  const want = reader.fault(SECRET);
  const named = want === undefined ? parseNamespacedName(text, context.object.namespace) : undefined;
  if (named === undefined) {
    const message = `Got ${quote(text)}, want ${want ?? 'the name of a Secret, or namespace/name'}; ${HOSTS_CLOSED}`;
    context.report('SP4005', reader.path(SECRET), message);
  }
  return named;
}

/** Undefined also after a report: clients then see the plain answer. */
function readErrorPage(reader: AnnotationReader, context: ObjectContext): string | undefined {
  const name = 'auth-tls-error-page';
  const text = trimmed(reader.get(name) ?? '');
  const want = reader.fault(name);
  if (want === undefined) return text === '' ? undefined : text;
  context.report('SP4251', reader.path(name), `Leaving out ${quote(text)}, want ${want}`);
  return undefined;
}
