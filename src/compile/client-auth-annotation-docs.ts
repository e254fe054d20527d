import type { AnnotationSpec } from '../filters/filter.ts';
import { absoluteUrl } from '../filters/redirect-annotations.ts';
import { maxVerifyDepth } from '../model/decode-backend-tls.ts';
import { secretReference } from './dialect-annotation-docs.ts';

/** What `auth-tls-verify-client` takes. */
export const VERIFY_CLIENT = ['on', 'off', 'optional', 'optional_no_ca'] as const;

/**
 * Annotations for the certificates of clients. They hold for every host of the rules, whichever object its paths are from,
 * where an object of the same namespace was first.
 */
export const clientAuthAnnotations: readonly AnnotationSpec[] = [
  {
    name: 'auth-tls-secret',
    grammar: secretReference,
    default: '',
    doc:
      'Secret with the authorities whose certificates clients of the hosts have to show (`ca.crt`), and lists of revoked ' +
      'ones (`ca.crl`). While it is missing or cannot be used, every request of the hosts is answered 403. Otherwise than in ' +
      'ingress-nginx, only the namespace of the oldest object with routes on a host can ask its clients; paths there of an ' +
      'Ingress of another namespace that asks for something else are answered 503.',
  },
  {
    name: 'auth-tls-verify-client',
    grammar: { kind: 'choice', choices: VERIFY_CLIENT },
    default: 'on',
    doc:
      '`on`: clients without a good certificate are answered 400. `optional`: those with a bad one are. `optional_no_ca`: ' +
      'whoever signed it, and the upstream is told what came of verifying it; one that has expired is answered 400 all the ' +
      'same. `off`: this Ingress asks nobody, which is no claim on the hosts: where an Ingress or Route of the namespace asks, ' +
      'clients are asked on paths of this one too.',
  },
  {
    name: 'auth-tls-verify-depth',
    grammar: { kind: 'integer', min: 1, max: maxVerifyDepth },
    default: '1',
    doc: "Most certificates between the client's and the root of its chain, as nginx counts: 1 allows one intermediate.",
  },
  {
    name: 'auth-tls-error-page',
    grammar: absoluteUrl,
    default: '',
    doc: 'URL that clients are redirected to (302) which would be answered 400 for their certificate, or for having none.',
  },
  {
    name: 'auth-tls-pass-certificate-to-upstream',
    grammar: { kind: 'boolean' },
    default: 'false',
    doc: "Sends the client's certificate to the upstream, as URL-encoded PEM in `ssl-client-cert`.",
  },
  {
    name: 'auth-tls-match-cn',
    grammar: { kind: 'regex', start: 'CN=' },
    default: '',
    doc:
      "Regular expression (RE2) that begins with `CN=` and must match the start of the `CN=…` of the certificate's subject (`$` at " +
      'its end asks for all of it); other clients are answered 403.',
  },
];
