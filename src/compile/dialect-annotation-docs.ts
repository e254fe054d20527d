import type { AnnotationGrammar } from '../filters/annotation-grammar.ts';
import type { AnnotationSpec } from '../filters/filter.ts';
import { tlsVersions } from '../model/backend-policy.ts';
import { maxCipherListLength, maxVerifyDepth } from '../model/decode-backend-tls.ts';
import { cipherListPattern } from '../model/text-checks.ts';

// Annotations for how endpoints are spoken to.

/** What `backend-protocol` takes, in any case. */
export const BACKEND_PROTOCOLS = ['HTTP', 'HTTPS', 'AUTO_HTTP', 'GRPC', 'GRPCS', 'HTTP2', 'H2C'] as const;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const name = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';

/** Name of a Secret, with its namespace in front where it is another one. */
export const secretReference: AnnotationGrammar = {
  kind: 'pattern',
  re2: `(?:${label}/)?${name}(?:[.]${name})*`,
  maxLength: 253,
  want: 'the name of a Secret, or namespace/name',
};

const onOff: AnnotationGrammar = { kind: 'choice', choices: ['on', 'off'] };

export const dialectAnnotations: readonly AnnotationSpec[] = [
  {
    name: 'backend-protocol',
    grammar: {
      kind: 'pattern',
      re2: `(?:${BACKEND_PROTOCOLS.map(inAnyCase).join('|')})`,
      maxLength: 64,
      want: `one of ${BACKEND_PROTOCOLS.join(', ')}`,
    },
    default: 'HTTP',
    doc:
      'What is spoken with endpoints: HTTP/1.1 (`HTTP`), HTTP/2 without TLS (`HTTP2`, `H2C`), gRPC (`GRPC`), or HTTP/1.1 ' +
      'and gRPC over TLS (`HTTPS`, `GRPCS`). `AUTO_HTTP` is TLS in whose handshake the endpoint chooses HTTP/2 or ' +
      'HTTP/1.1. `FCGI`, or anything else, closes the routes.',
  },
  {
    name: 'proxy-ssl-secret',
    grammar: secretReference,
    default: '',
    doc:
      'Secret for TLS with endpoints: who may have signed their certificates (`ca.crt`, revoked ones in `ca.crl`), and ' +
      'what is shown to them when they ask (`tls.crt` with `tls.key`).',
  },
  {
    name: 'proxy-ssl-verify',
    grammar: onOff,
    default: 'off',
    doc:
      'Refuses endpoints (502) whose certificates are not valid for `proxy-ssl-name`: signed by `ca.crt` of ' +
      '`proxy-ssl-secret`, without that annotation by a public authority. While it is off, the Ingress gets a warning.',
  },
  {
    name: 'proxy-ssl-verify-depth',
    grammar: { kind: 'integer', min: 1, max: maxVerifyDepth },
    default: '1',
    doc: "Most certificates between the endpoint's and the root of its chain, as nginx counts: 1 allows one intermediate.",
  },
  {
    name: 'proxy-ssl-name',
    grammar: {
      kind: 'pattern',
      re2: '[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?',
      maxLength: 253,
      want: 'a DNS name or an address',
    },
    default: '',
    doc:
      "What endpoints' certificates must be for. Left out: `service.namespace.svc`, or the name that an ExternalName " +
      'Service stands for.',
  },
  {
    name: 'proxy-ssl-server-name',
    grammar: onOff,
    default: 'off',
    doc: 'Tells endpoints that name in the handshake (SNI).',
  },
  {
    name: 'proxy-ssl-ciphers',
    grammar: {
      kind: 'pattern',
      re2: cipherListPattern,
      maxLength: maxCipherListLength,
      want: "cipher suites in OpenSSL's notation",
    },
    default: 'DEFAULT',
    doc: 'Cipher suites for TLS with endpoints.',
  },
  {
    name: 'proxy-ssl-protocols',
    grammar: { kind: 'words', words: tlsVersions },
    default: tlsVersions.join(' '),
    doc: 'Versions of TLS that are spoken with endpoints; older ones are not.',
  },
];

function inAnyCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`);
}
