import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../model/core-objects.ts';
import type { ObjectMeta } from '../model/object-meta.ts';
import { certificateBlocks } from '../util/certificate-bundle.ts';
import type { CertificateMemory } from './certificate-memory.ts';
import type { CertificateClaim } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
import { objectRank } from './rank.ts';
import { resolveReference } from './resolve-reference.ts';
import { checkedHost } from './route-host.ts';
import { wildcardOf } from './tls-hosts.ts';

/** What TLS blocks come to. */
export interface TlsClaims {
  readonly certificates: readonly CertificateClaim[];
  /** Hosts that are listed, by blocks without a usable Secret too. */
  readonly tlsHosts: readonly string[];
}

/** Hosts and the Secret with their certificate; without a namespace it is the object's own. */
export interface TlsBlock {
  readonly hosts: readonly string[];
  readonly secretName: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * The certificates that TLS blocks ask for, for hosts of the object's own rules: what a block lists says for which of them,
 * by name or by wildcard, so that nobody speaks for a host that only others serve. A block without hosts is for all of
 * them; one without a Secret leaves its hosts to the default certificate, and so does one whose Secret is refused: it
 * claims nothing.
 */
export function claimCertificates(
  blocks: readonly TlsBlock[],
  ruleHosts: ReadonlySet<string>,
  meta: ObjectMeta,
  context: ObjectContext,
): TlsClaims {
  const rank = objectRank(context.object, meta);
  const claims = new Map<string, CertificateClaim>();
  const listed = new Set<string>();
  for (const [index, { hosts, secretName, namespace }] of blocks.entries()) {
    const field = context.object.kind === 'Route' ? 'spec.tls' : `spec.tls[${index}]`;
    const secret =
      secretName === undefined
        ? undefined
        : resolveCertificate({ namespace, name: secretName, field: `${field}.secretName` }, context);
    const wanted = hosts.length > 0 ? readHosts(hosts, field, context) : [...ruleHosts];
    const named = [...ruleHosts].filter((host) => host !== '' && wanted.some((name) => covers(name, host)));
    for (const host of named) listed.add(host);
    const idle = wanted.filter((name) => name !== '' && !named.some((host) => covers(name, host)));
    if (idle.length > 0) {
      context.report(
        'SP2203',
        field,
        `Leaving out ${shown(idle)}: no rule of this object is for such a host`,
      );
    } else if (named.length === 0 && secret !== undefined) {
      context.report(
        'SP2203',
        field,
        `Leaving out Secret "${secret}": no rule names a host that it could serve`,
      );
    }
    if (secret === undefined) continue;
    reportOtherNames(secret, named, `${field}.secretName`, context);
    for (const host of named) {
      if (!claims.has(host)) claims.set(host, { host, rank, object: context.object, field, secret });
    }
  }
  return { certificates: [...claims.values()], tlsHosts: [...listed] };
}

/** A wildcard is for one label, and for itself. */
function covers(listed: string, host: string): boolean {
  return listed === host || listed === wildcardOf(host);
}

function readHosts(hosts: readonly string[], field: string, context: ObjectContext): readonly string[] {
  return hosts
    .map((host, index) => checkedHost(host, `${field}.hosts[${index}]`, context))
    .filter((host) => host !== undefined);
}

const UNREADABLE = 'holds a certificate or key that is not readable PEM';
/** The TLS library takes none below. */
const MIN_RSA_BITS = 2048;

/** Every certificate of the chain; throws for one that cannot be read. */
function readChain(pem: string): readonly X509Certificate[] {
  return certificateBlocks(pem).map((block) => new X509Certificate(block));
}

/** The PEM texts of a usable TLS Secret, or why it cannot be used. Never quotes what the Secret holds. */
export function readTlsSecret(secret: Secret): TlsPair | string {
  const known = checked.get(secret);
  if (known !== undefined) return known;
  const result = checkPair(secret);
  checked.set(secret, result);
  return result;
}

export interface TlsPair {
  readonly certificate: string;
  readonly key: string;
  readonly notAfterMs: number;
  /** DNS names that it is for, in lower case; a common name is none (RFC 9525 §6.3). */
  readonly dnsNames: readonly string[];
}

/** Reading keys is slow, and one Secret often serves many objects. */
const checked = new WeakMap<Secret, TlsPair | string>();

interface SecretRef {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly field: string;
}

/** Key of the Secret, usable or not; undefined when the reference is refused. */
export function resolveCertificate(
  { namespace, name, field }: SecretRef,
  context: ObjectContext,
): string | undefined {
  const ref = { kind: 'Secret', namespace: namespace ?? context.object.namespace, name, field } as const;
  const found = resolveReference(ref, context);
  if (!found.granted) return undefined;
  const { key, object: secret } = found;
  const pair = secret === undefined ? undefined : readTlsSecret(secret);
  if (pair === undefined) {
    context.report('SP2201', field, `Secret "${key}" does not exist; the default certificate is used`);
  } else if (typeof pair === 'string') {
    const kept = context.options.certificateMemory?.last(key) !== undefined;
    const instead = kept ? 'what it held before is used' : 'the default certificate is used';
    context.report('SP2202', field, `Secret "${key}" ${pair}; ${instead}`);
  } else {
    reportExpired(key, pair, field, context);
  }
  return key;
}

function reportExpired(key: string, { notAfterMs }: TlsPair, field: string, context: ObjectContext): void {
  if (notAfterMs > (context.options.now?.() ?? 0)) return;
  const since = new Date(notAfterMs).toISOString();
  context.report('SP2204', field, `Secret "${key}" holds a certificate that expired at ${since}`);
}

const MAX_SHOWN = 3;

/** It is served all the same: what clients make of it is theirs to say, and another one would be no better. */
function reportOtherNames(
  key: string,
  hosts: readonly string[],
  field: string,
  context: ObjectContext,
): void {
  const secret = context.lookUp('Secret', key);
  const pair = secret === undefined ? undefined : readTlsSecret(secret);
  if (pair === undefined || typeof pair === 'string') return;
  const others = hosts.filter((host) => !isFor(pair, host));
  if (others.length === 0) return;
  const names = pair.dnsNames.length === 0 ? 'no DNS name' : shown(pair.dnsNames);
  context.report(
    'SP2210',
    field,
    `Secret "${key}" holds a certificate for ${names}, not for ${shown(others)}`,
  );
}

function shown(names: readonly string[]): string {
  const rest = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  return `${names
    .slice(0, MAX_SHOWN)
    .map((name) => `"${name}"`)
    .join(', ')}${rest}`;
}

/** `*.` in a certificate stands for one label, and is what a host that begins with it needs (RFC 9525 §6.3). */
function isFor({ dnsNames: names }: TlsPair, host: string): boolean {
  return names.some((name) => covers(name, host));
}

const DNS_NAME = /(?:^|, )DNS:([^",]+)/g;

function dnsNames({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(DNS_NAME)].map(([, name = '']) => name.toLowerCase());
}

/** What to serve for a Secret: its pair, or the last that it held, or nothing. */
export function usablePair(
  key: string,
  secret: Secret | undefined,
  memory: CertificateMemory | undefined,
): TlsPair | undefined {
  if (secret === undefined) {
    memory?.forget(key);
    return undefined;
  }
  const pair = readTlsSecret(secret);
  if (typeof pair === 'string') return memory?.last(key);
  memory?.note(key, pair);
  return pair;
}

function checkPair({ type, data }: Secret): TlsPair | string {
  // Opaque is taken too: ingress-nginx looks at the two keys only.
  if (type !== 'kubernetes.io/tls' && type !== 'Opaque')
    return `is of type "${type}", want kubernetes.io/tls`;
  const certificate = data.get('tls.crt')?.toString('latin1') ?? '';
  const key = data.get('tls.key')?.toString('latin1') ?? '';
  if (certificate === '' || key === '') return 'lacks tls.crt or tls.key';
  try {
    const [leaf] = readChain(certificate);
    if (leaf === undefined) return UNREADABLE;
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      return 'holds a key that does not belong to its certificate';
    const { asymmetricKeyDetails: details } = leaf.publicKey;
    if ((details?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS)
      return `holds an RSA key of fewer than ${MIN_RSA_BITS} bits`;
    return { certificate, key, notAfterMs: leaf.validToDate.getTime(), dnsNames: dnsNames(leaf) };
  } catch {
    return UNREADABLE;
  }
}
