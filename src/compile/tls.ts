import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Secret } from '../model/core-objects.ts';
import type { IngressTls } from '../model/ingress.ts';
import type { ObjectMeta } from '../model/object-meta.ts';
import type { CertificateClaim } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
import { objectRank } from './rank.ts';
import { checkedHost } from './route-host.ts';

/**
 * The certificates that TLS blocks ask for. A block without hosts is for the hosts of all rules; one without a Secret
 * leaves its hosts to the default certificate.
 */
export function claimCertificates(
  blocks: readonly IngressTls[],
  ruleHosts: ReadonlySet<string>,
  meta: ObjectMeta,
  context: ObjectContext,
): readonly CertificateClaim[] {
  const rank = objectRank(context.object, meta);
  const claims = new Map<string, CertificateClaim>();
  for (const [index, { hosts, secretName }] of blocks.entries()) {
    if (secretName === undefined) continue;
    const field = `spec.tls[${index}]`;
    const secret = `${context.object.namespace}/${secretName}`;
    checkSecret(secret, `${field}.secretName`, context);
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

function checkSecret(key: string, field: string, context: ObjectContext): void {
  const secret = context.lookUp('Secret', key);
  if (secret === undefined) {
    context.report('SP2201', field, `Secret "${key}" does not exist; the default certificate is used`);
    return;
  }
  const pair = readTlsSecret(secret);
  if (typeof pair === 'string') {
    context.report('SP2202', field, `Secret "${key}" ${pair}; the default certificate is used`);
  }
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
