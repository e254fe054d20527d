import type { BackendTls } from '../model/backend-policy.ts';
import type { EntryRef, UpstreamTls } from '../table/route-table.ts';
import { resolveAuthority, resolvePair } from './credentials.ts';
import type { ObjectContext } from './object-context.ts';
import { serverNameOf } from './resolve-service.ts';

const FIELD = 'spec.tls';
const CONSEQUENCE = 'the Service counts as one without endpoints';

/** `tls` of a BackendPolicy; 'closed' after a report: nothing may be sent to the Service. */
export function policyTls(tls: BackendTls, service: string, context: ObjectContext): UpstreamTls | 'closed' {
  const { namespace } = context.object;
  const verify = tls.verify ?? true;
  if (!verify) {
    const message = 'Speaking TLS with endpoints without verifying who they are, want verify: true';
    context.report('SP4006', `${FIELD}.verify`, message);
  }
  const certificate = certificateOf(tls, context);
  // While nobody is verified, nobody asks for the authority.
  const authority = verify ? authorityOf(tls, context) : undefined;
  if (certificate === 'closed' || authority === 'closed') return 'closed';
  const key = `${namespace}/${service}`;
  return {
    ...(certificate === undefined ? {} : { certificate }),
    verify,
    ...(authority === undefined ? {} : { authority }),
    ...(tls.verifyDepth === undefined ? {} : { verifyDepth: tls.verifyDepth }),
    name: tls.hostname ?? serverNameOf(key, context.lookUp('Service', key)),
    sendName: tls.sni ?? true,
    ...(tls.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
  };
}

function certificateOf(
  { clientSecretName: name }: BackendTls,
  context: ObjectContext,
): EntryRef | 'closed' | undefined {
  if (name === undefined) return undefined;
  const ref = { namespace: context.object.namespace, name, field: `${FIELD}.clientSecretName` };
  return resolvePair(ref, CONSEQUENCE, context) ?? 'closed';
}

function authorityOf(
  { caSecretName, caConfigMapName }: BackendTls,
  context: ObjectContext,
): EntryRef | 'closed' | undefined {
  const { namespace } = context.object;
  if (caSecretName !== undefined) {
    const ref = { kind: 'Secret', namespace, name: caSecretName, field: `${FIELD}.caSecretName` } as const;
    return resolveAuthority(ref, CONSEQUENCE, context) ?? 'closed';
  }
  if (caConfigMapName === undefined) return undefined;
  const field = `${FIELD}.caConfigMapName`;
  const ref = { kind: 'ConfigMap', namespace, name: caConfigMapName, field } as const;
  return resolveAuthority(ref, CONSEQUENCE, context) ?? 'closed';
}
