import { trimmed } from '../filters/annotation-grammar.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import type { Dialect } from './dialect.ts';
import { BACKEND_PROTOCOLS } from './dialect-annotation-docs.ts';
import type { ObjectContext } from './object-context.ts';

// `backend-protocol` and `proxy-ssl-*` as they are written. Every value is looked at, whether the others make use of it or not.

/** What is spoken; `secure`: over TLS. */
export type Protocol = Omit<Dialect, 'tls'> & { readonly secure: boolean };

const http1 = { protocol: 'http1' } as const;
const http2 = { protocol: 'http2' } as const;
const grpc = { protocol: 'http2', grpc: true } as const;

export const protocols: Readonly<Record<(typeof BACKEND_PROTOCOLS)[number], Protocol>> = {
  HTTP: { ...http1, secure: false },
  HTTPS: { ...http1, secure: true },
  AUTO_HTTP: { protocol: 'auto', secure: true },
  GRPC: { ...grpc, secure: false },
  GRPCS: { ...grpc, secure: true },
  HTTP2: { ...http2, secure: false },
  H2C: { ...http2, secure: false },
};

/** `proxy-ssl-*` as they are written. */
export interface TlsValues {
  /** '' when left out. */
  readonly secret: string;
  readonly verify: boolean;
  readonly verifyDepth: number;
  readonly name: string;
  readonly sendName: boolean;
  readonly versions: readonly string[];
  readonly ciphers: string;
}

export const noTlsValues: TlsValues = {
  secret: '',
  verify: false,
  verifyDepth: 1,
  name: '',
  sendName: false,
  versions: [],
  ciphers: '',
};

/** Undefined when it is left out, 'closed' after a report. */
export function readProtocol(
  reader: AnnotationReader,
  context: ObjectContext,
): Protocol | 'closed' | undefined {
  const name = 'backend-protocol';
  const text = trimmed(reader.get(name) ?? '').toUpperCase();
  if (text === 'FCGI') {
    const want = `want one of ${BACKEND_PROTOCOLS.join(', ')}`;
    const message = `Not serving the routes of this object: FastCGI is not spoken here, ${want}; put a web server between`;
    context.report('SP4005', reader.path(name), message);
    return 'closed';
  }
  const value = reader.protective(name);
  if (value === undefined) return 'closed';
  return value === '' ? undefined : protocols[text as keyof typeof protocols];
}

/** 'closed' after a report. */
export function readTlsValues(reader: AnnotationReader): TlsValues | 'closed' {
  const secret = reader.protective('proxy-ssl-secret');
  const verify = reader.protective('proxy-ssl-verify');
  const name = reader.protective('proxy-ssl-name');
  const values = {
    verifyDepth: reader.integer('proxy-ssl-verify-depth'),
    sendName: reader.text('proxy-ssl-server-name') === 'on',
    versions: reader.words('proxy-ssl-protocols'),
    ciphers: reader.text('proxy-ssl-ciphers'),
  };
  if (secret === undefined || verify === undefined || name === undefined) return 'closed';
  return { secret, verify: verify === 'on', name: name.toLowerCase(), ...values };
}
