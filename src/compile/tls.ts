import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../model/core-objects.ts';
import type { ObjectMeta } from '../model/object-meta.ts';
import type { CertificateClaim } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
import { objectRank } from './rank.ts';
import { resolveReference } from './resolve-reference.ts';
import { checkedHost } from './route-host.ts';

/** Hosts and the Secret with their certificate; without a namespace it is the object's own. */
export interface TlsBlock {
  readonly hosts: readonly string[];
  readonly secretName: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * The certificates that TLS blocks ask for. A block without hosts is for the hosts of all rules; one without a Secret
 * leaves its hosts to the default certificate, and so does one whose Secret is refused: it claims nothing.
 */
export function claimCertificates(
  blocks: readonly TlsBlock[],
  ruleHosts: ReadonlySet<string>,
  meta: ObjectMeta,
  context: ObjectContext,
): readonly CertificateClaim[] {
  const rank = objectRank(context.object, meta);
  const claims = new Map<string, CertificateClaim>();
  for (const [index, { hosts, secretName, namespace }] of blocks.entries()) {
    if (secretName === undefined) continue;
    const field = context.object.kind === 'Route' ? 'spec.tls' : `spec.tls[${index}]`;
    const secret = resolveSecret({ namespace, name: secretName, field: `${field}.secretName` }, context);
    if (secret === undefined) continue;
    const wanted = hosts.length > 0 ? readHosts(hosts, field, context) : [...ruleHosts];
    const named = wanted.filter((host) => host !== '');
    if (hosts.length === 0 && named.length === 0) {
      context.report(
        'SP2203',
        field,
        `Leaving out Secret "${secret}": no rule names a host that it could serve`,
      );
    }
    for (const host of named) {
      if (!claims.has(host)) claims.set(host, { host, rank, object: context.object, field, secret });
    }
  }
  return [...claims.values()];
}

function readHosts(hosts: readonly string[], field: string, context: ObjectContext): readonly string[] {
  return hosts
    .map((host, index) => checkedHost(host, `${field}.hosts[${index}]`, context))
    .filter((host) => host !== undefined);
}

/** The PEM texts of a usable TLS Secret, or why it cannot be used. Never quotes what the Secret holds. */
export function readTlsSecret(secret: Secret): TlsPair | string {
  const known = checked.get(secret);
  if (known !== undefined) return known;
  const result = checkPair(secret);
  checked.set(secret, result);
  return result;
}

interface TlsPair {
  readonly certificate: string;
  readonly key: string;
}

/** Reading keys is slow, and one Secret often serves many objects. */
const checked = new WeakMap<Secret, TlsPair | string>();

interface SecretRef {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly field: string;
}

/** Key of the Secret, usable or not; undefined when the reference is refused. */
function resolveSecret({ namespace, name, field }: SecretRef, context: ObjectContext): string | undefined {
  const ref = { kind: 'Secret', namespace: namespace ?? context.object.namespace, name, field } as const;
  const found = resolveReference(ref, context);
  if (!found.granted) return undefined;
  const { key, object: secret } = found;
  const pair = secret === undefined ? undefined : readTlsSecret(secret);
  if (pair === undefined) {
    context.report('SP2201', field, `Secret "${key}" does not exist; the default certificate is used`);
  } else if (typeof pair === 'string') {
    context.report('SP2202', field, `Secret "${key}" ${pair}; the default certificate is used`);
  }
  return key;
}

function checkPair({ type, data }: Secret): TlsPair | string {
  // Opaque is taken too: ingress-nginx looks at the two keys only.
  if (type !== 'kubernetes.io/tls' && type !== 'Opaque')
    return `is of type "${type}", want kubernetes.io/tls`;
  const certificate = data.get('tls.crt')?.toString('latin1') ?? '';
  const key = data.get('tls.key')?.toString('latin1') ?? '';
  if (certificate === '' || key === '') return 'lacks tls.crt or tls.key';
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      return 'holds a key that does not belong to its certificate';
    }
  } catch {
    return 'holds a certificate or key that is not readable PEM';
  }
  return { certificate, key };
}
