import { maxVerifyDepth } from './decode-backend-tls.ts';
import type { Field } from './field.ts';
import { clientCertificateModes } from './route.ts';
import type { ClientCertificate } from './route.ts';
import { dnsLabel, objectName, plainText, webUrl } from './text-checks.ts';

/** The bounds of the CRD schema (client-certificate-schema.ts). */
export const maxUrlLength = 2048;
export const maxCommonNameLength = 1024;

/** `tls.clientCertificate` of a Route. */
export function decodeClientCertificate(field: Field): ClientCertificate | undefined {
  if (field.absent) return undefined;
  field
    .object()
    .only([
      'caSecretName',
      'namespace',
      'mode',
      'verifyDepth',
      'matchCommonName',
      'errorPage',
      'passToUpstream',
    ]);
  const matchCommonName = field.get('matchCommonName');
  const pattern = matchCommonName.optionalText({ check: plainText, maxLength: maxCommonNameLength });
  if (pattern?.startsWith('CN=') === false) {
    matchCommonName.want('a regular expression that begins with CN=');
  }
  return {
    caSecretName: field.get('caSecretName').text({ check: objectName }),
    namespace: field.get('namespace').optionalText({ check: dnsLabel }),
    mode: field.get('mode').choice(clientCertificateModes, 'Required'),
    verifyDepth: field.get('verifyDepth').integer(1, maxVerifyDepth, 1),
    matchCommonName: pattern,
    errorPage: field.get('errorPage').optionalText({ check: webUrl, maxLength: maxUrlLength }),
    passToUpstream: field.get('passToUpstream').optionalBoolean() ?? false,
  };
}
