import { maxVerifyDepth } from './decode-backend-tls.ts';
import { maxCommonNameLength, maxUrlLength } from './decode-client-certificate.ts';
import { clientCertificateModes } from './route.ts';
import { labelSchema, nameSchema, plainTextPattern } from './schema.ts';
import type { Schema } from './schema.ts';
import { webUrlPattern } from './text-checks.ts';

/** `tls.clientCertificate` of a Route; decode-client-certificate.ts reads the same shape. */
export const clientCertificateSchema: Schema = {
  type: 'object',
  description:
    'What clients of the hosts have to show, whichever object their paths are from. The namespace of the oldest object with ' +
    'routes on a host decides, its oldest object that asks first; the rules of a Route that asks for something else on one of its ' +
    'hosts are answered 503. Left out: nothing.',
  required: ['caSecretName'],
  properties: {
    caSecretName: {
      ...nameSchema,
      description:
        'Secret with the authorities under ca.crt and lists of revoked certificates under ca.crl. While it is missing or ' +
        'cannot be used, every request of the hosts is answered 403.',
    },
    namespace: { ...labelSchema, description: "Namespace of that Secret; left out: the Route's own." },
    mode: {
      type: 'string',
      enum: [...clientCertificateModes],
      default: 'Required',
      description:
        'Required: clients without a good certificate are answered 400. Optional: those with a bad one are. OptionalNoCA: ' +
        'whoever signed it, and the upstream is told what came of verifying it; one that has expired is answered 400 all ' +
        'the same.',
    },
    verifyDepth: {
      type: 'integer',
      minimum: 1,
      maximum: maxVerifyDepth,
      default: 1,
      description: "Most certificates between the client's and the root: 1 allows one intermediate.",
    },
    matchCommonName: {
      type: 'string',
      maxLength: maxCommonNameLength,
      pattern: plainTextPattern,
      description:
        "RE2 expression that begins with CN= and must match the start of the CN=… of the certificate's subject; other clients are " +
        'answered 403.',
      'x-kubernetes-validations': [
        {
          rule: "self == '' || self.startsWith('CN=')",
          message: 'a pattern for the common name begins with CN=',
        },
      ],
    },
    errorPage: {
      type: 'string',
      maxLength: maxUrlLength,
      pattern: `^(${webUrlPattern})?$`,
      description:
        'Absolute URL that clients are redirected to (302) which would be answered 400 for their certificate, or for having none.',
      'x-kubernetes-validations': [
        { rule: "self == '' || isURL(self)", message: 'an error page is an absolute http or https URL' },
      ],
    },
    passToUpstream: {
      type: 'boolean',
      default: false,
      description:
        "Whether the client's certificate is sent upstream, as URL-encoded PEM in ssl-client-cert.",
    },
  },
};
