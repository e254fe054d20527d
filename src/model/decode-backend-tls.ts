import { tlsVersions } from './backend-policy.ts';
import type { BackendTls } from './backend-policy.ts';
import type { Field } from './field.ts';
import { cipherList, hostName, objectName } from './text-checks.ts';

/** The bounds of the CRD schema (backend-tls-schema.ts). */
export const maxVerifyDepth = 100;
export const maxCipherListLength = 1024;

/** `tls` of a BackendPolicy. */
export function decodeBackendTls(tls: Field): BackendTls | undefined {
  if (tls.absent) return undefined;
  tls
    .object()
    .only([
      'hostname',
      'sni',
      'verify',
      'verifyDepth',
      'caSecretName',
      'caConfigMapName',
      'clientSecretName',
      'minVersion',
      'maxVersion',
      'ciphers',
    ]);
  const [minVersion, maxVersion] = [tls.get('minVersion'), tls.get('maxVersion')];
  const decoded = {
    hostname: tls.get('hostname').optionalText({ check: hostName }),
    sni: tls.get('sni').optionalBoolean(),
    verify: tls.get('verify').optionalBoolean(),
    verifyDepth: tls.get('verifyDepth').optionalInteger(1, maxVerifyDepth),
    caSecretName: tls.get('caSecretName').optionalText({ check: objectName }),
    caConfigMapName: tls.get('caConfigMapName').optionalText({ check: objectName }),
    clientSecretName: tls.get('clientSecretName').optionalText({ check: objectName }),
    minVersion: minVersion.optionalChoice(tlsVersions),
    maxVersion: maxVersion.optionalChoice(tlsVersions),
    ciphers: tls.get('ciphers').optionalText({ check: cipherList, maxLength: maxCipherListLength }),
  };
  if (decoded.caSecretName !== undefined && decoded.caConfigMapName !== undefined) {
    tls.get('caConfigMapName').want('no ConfigMap beside caSecretName');
  }
  if (decoded.minVersion === 'TLSv1.3' && decoded.maxVersion === 'TLSv1.2') {
    maxVersion.want('a version that is not below minVersion');
  }
  return decoded;
}
