import { tlsVersions } from './backend-policy.ts';
import { maxCipherListLength, maxVerifyDepth } from './decode-backend-tls.ts';
import { nameSchema } from './schema.ts';
import type { Schema } from './schema.ts';
import { cipherListPattern } from './text-checks.ts';

function version(description: string): Schema {
  return { type: 'string', enum: [...tlsVersions], description };
}

/** `tls` of a BackendPolicy; decode-backend-tls.ts reads the same shape. */
export const backendTlsSchema: Schema = {
  type: 'object',
  description: 'TLS towards endpoints; an empty one will do. Left out: plain TCP.',
  properties: {
    hostname: {
      type: 'string',
      minLength: 1,
      maxLength: 253,
      pattern: '^[a-z0-9.:-]+$',
      description:
        "What endpoints' certificates must be for: a DNS name or an address. Left out: service.namespace.svc, or " +
        'the name that an ExternalName Service stands for.',
    },
    sni: { type: 'boolean', description: 'Whether hostname is told in the handshake. Left out: it is.' },
    verify: {
      type: 'boolean',
      description:
        'Whether endpoints whose certificates are not valid for hostname are refused. Left out: they are.',
    },
    verifyDepth: {
      type: 'integer',
      minimum: 1,
      maximum: maxVerifyDepth,
      description:
        "Most certificates between an endpoint's and the root: 1 allows one intermediate. Left out: as many as the chain has.",
    },
    caSecretName: {
      ...nameSchema,
      description:
        "Secret, in the policy's namespace, with the authorities under ca.crt and lists of revoked certificates " +
        'under ca.crl. Without it and caConfigMapName: the public authorities.',
    },
    caConfigMapName: {
      ...nameSchema,
      description:
        "ConfigMap, in the policy's namespace, with the same as caSecretName would have; one of the two.",
    },
    clientSecretName: {
      ...nameSchema,
      description:
        "Secret of type kubernetes.io/tls, in the policy's namespace, with the certificate that is shown to endpoints.",
    },
    minVersion: version('The oldest version of TLS. Left out: TLSv1.2.'),
    maxVersion: version('The newest version of TLS. Left out: TLSv1.3.'),
    ciphers: {
      type: 'string',
      minLength: 1,
      maxLength: maxCipherListLength,
      pattern: `^${cipherListPattern}$`,
      description: "Cipher suites in OpenSSL's notation. Left out: the usual ones.",
    },
  },
  'x-kubernetes-validations': [
    {
      rule: '!has(self.caSecretName) || !has(self.caConfigMapName)',
      message: 'authorities come from caSecretName or from caConfigMapName, not from both',
    },
    {
      rule: "!has(self.minVersion) || !has(self.maxVersion) || self.minVersion != 'TLSv1.3' || self.maxVersion != 'TLSv1.2'",
      message: 'maxVersion is not below minVersion',
    },
    {
      rule: "!has(self.hostname) || isIP(self.hostname) || self.hostname.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$')",
      message: 'hostname is a DNS name in lower case, or an address',
    },
  ],
};
