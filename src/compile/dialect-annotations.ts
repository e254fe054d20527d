import { trimmed } from '../filters/annotation-grammar.ts';
import { quote } from '../filters/value-reader.ts';
import type { EntryRef } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import { isSameDialect, plainHttp, dialectOf, variantOf } from './dialect.ts';
import type { Dialect, TlsWish, DialectWish, UpstreamVariant } from './dialect.ts';
import { policyFor } from './compile-policy.ts';
import { resolveAuthority, resolvePair } from './credentials.ts';
import type { OverridingSetting, PolicyClaim } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
import { parseNamespacedName, resolveReference } from './resolve-reference.ts';
import { serverNameOf } from './resolve-service.ts';
import { BACKEND_PROTOCOLS } from './dialect-annotation-docs.ts';

type Protocol = Omit<Dialect, 'tls'> & { readonly secure: boolean };

const http1 = { protocol: 'http1' } as const;
const http2 = { protocol: 'http2' } as const;
const grpc = { protocol: 'http2', grpc: true } as const;

const protocols: Readonly<Record<(typeof BACKEND_PROTOCOLS)[number], Protocol>> = {
  HTTP: { ...http1, secure: false },
  HTTPS: { ...http1, secure: true },
  AUTO_HTTP: { protocol: 'auto', secure: true },
  GRPC: { ...grpc, secure: false },
  GRPCS: { ...grpc, secure: true },
  HTTP2: { ...http2, secure: false },
  H2C: { ...http2, secure: false },
};

const tlsNames = [
  'proxy-ssl-secret',
  'proxy-ssl-verify',
  'proxy-ssl-verify-depth',
  'proxy-ssl-name',
  'proxy-ssl-server-name',
  'proxy-ssl-ciphers',
  'proxy-ssl-protocols',
] as const;

const CLOSED = 'not serving the routes of this object';

/** How one object speaks to the endpoints of one Service. */
export interface ServiceDialect {
  /** Present when annotations say anything about it. */
  readonly wish?: DialectWish;
  /** Present when the Service's policy, or the default, says something else. */
  readonly variant?: UpstreamVariant;
}

/** `proxy-ssl-*` as they are written. */
interface TlsValues {
  /** '' when left out. */
  readonly secret: string;
  readonly verify: boolean;
  readonly verifyDepth: number;
  readonly name: string;
  readonly sendName: boolean;
  readonly versions: readonly string[];
  readonly ciphers: string;
}

/**
 * `backend-protocol` and `proxy-ssl-*` of one Ingress. Each goes before the fields of the Service's policy: the protocol
 * before `protocol`, the others together before `tls`. Unlike ingress-nginx, where the oldest Ingress of a host decides about
 * TLS for all, they concern the routes of their own Ingress only.
 */
export class DialectAnnotations {
  readonly #reader: AnnotationReader;
  readonly #context: ObjectContext;
  readonly #protocol: Protocol | 'closed' | undefined;
  /** Names of those that are given. */
  readonly #tlsNames: readonly string[];
  readonly #tlsValues: TlsValues | 'closed';
  #tls: TlsWish | 'closed' | undefined;
  #isUnusedReported = false;
  #isUnverifiedReported = false;

  constructor(reader: AnnotationReader, context: ObjectContext) {
    this.#reader = reader;
    this.#context = context;
    this.#protocol = readProtocol(reader, context);
    const hasTls = reader.hasFamily('proxy-ssl-');
    this.#tlsNames = hasTls ? tlsNames.filter((name) => trimmed(reader.get(name) ?? '') !== '') : [];
    this.#tlsValues = hasTls ? readTlsValues(reader) : noTlsValues;
  }

  /** False after a report: whatever the Service is, the routes must fail closed. */
  get usable(): boolean {
    return this.#protocol !== 'closed' && this.#tlsValues !== 'closed';
  }

  /** Annotations that go before fields of a policy. */
  get overriding(): readonly OverridingSetting[] {
    const protocol = this.#protocol;
    if (protocol === 'closed') return [];
    const over = (name: string, member: 'protocol' | 'tls'): OverridingSetting => ({
      path: this.#reader.path(name),
      policyField: `spec.${member}`,
      part: 'dialect',
      member,
    });
    const tls = this.#tlsNames.map((name) => over(name, 'tls'));
    if (protocol === undefined) return tls;
    return [
      over('backend-protocol', 'protocol'),
      ...(protocol.secure ? tls : [over('backend-protocol', 'tls')]),
    ];
  }

  /**
   * `service` is its key, `upstream` the id of what its policy is for. Undefined after a report: the route must fail
   * closed.
   */
  resolve(service: string, upstream: string): ServiceDialect | undefined {
    const protocol = this.#protocol;
    if (protocol === 'closed') return undefined;
    if (protocol === undefined && this.#tlsNames.length === 0) return {};
    const policy = policyFor(service, this.#context);
    const { secure, ...spoken } = protocol ?? protocolOf(policy);
    if (!secure) this.#reportUnused();
    if (protocol === undefined && !secure) return {};
    const serverName = serverNameOf(service, this.#context.lookUp('Service', service));
    const tls = secure ? this.#tlsFor(policy, serverName) : undefined;
    if (tls === 'closed') return undefined;
    const wish: DialectWish = tls === undefined ? spoken : { ...spoken, tls };
    const variant = variantOf(upstream, wish, serverName);
    const usual = policy === undefined ? plainHttp : dialectOf(policy.settings);
    const isUsual = policy?.closed !== true && isSameDialect(variant.dialect, usual);
    return isUsual ? { wish } : { wish, variant };
  }

  #tlsFor(policy: PolicyClaim | undefined, serverName: string): TlsWish | 'closed' {
    if (this.#tlsNames.length > 0 || policy?.sets.tls !== true) {
      this.#tls ??= this.#readTls();
      return this.#tls;
    }
    const { tls } = policy.settings;
    if (policy.closed || tls === undefined) return 'closed';
    const { name, ...rest } = tls;
    return name === serverName ? rest : tls;
  }

  #readTls(): TlsWish | 'closed' {
    const values = this.#tlsValues;
    if (values === 'closed') return values;
    if (!values.verify) this.#reportUnverified();
    const credentials = this.#readSecret(values);
    if (credentials === undefined) return 'closed';
    const { versions } = values;
    return {
      ...(credentials.certificate === undefined ? {} : { certificate: credentials.certificate }),
      verify: values.verify,
      ...(credentials.authority === undefined ? {} : { authority: credentials.authority }),
      ...(values.verify ? { verifyDepth: values.verifyDepth } : {}),
      ...(values.name === '' ? {} : { name: values.name }),
      sendName: values.sendName,
      // With both, or none, everything that a worker speaks.
      ...(versions.length === 1 && versions[0] === 'TLSv1.3' ? { minVersion: 'TLSv1.3' } : {}),
      ...(versions.length === 1 && versions[0] === 'TLSv1.2' ? { maxVersion: 'TLSv1.2' } : {}),
      ...(values.ciphers === '' || values.ciphers === 'DEFAULT' ? {} : { ciphers: values.ciphers }),
    };
  }

  /** Undefined after a report. While nobody is verified, nobody asks for the authority. */
  #readSecret({
    secret,
    verify,
  }: TlsValues): { certificate?: EntryRef | undefined; authority?: EntryRef | undefined } | undefined {
    if (secret === '') return {};
    const field = this.#reader.path('proxy-ssl-secret');
    const context = this.#context;
    const named = parseNamespacedName(secret, context.object.namespace);
    if (named === undefined) {
      const message = `Not serving the routes of this object: got ${quote(secret)}, want the name of a Secret, or namespace/name`;
      context.report('SP4005', field, message);
      return undefined;
    }
    const found = resolveReference({ kind: 'Secret', ...named, field }, context);
    if (!found.granted) return undefined;
    const hasPair = found.object?.data.has('tls.crt') === true || found.object?.data.has('tls.key') === true;
    // One that does not exist is reported once, by whichever asks.
    const needsPair = hasPair || !verify;
    const certificate = needsPair ? resolvePair({ ...named, field }, CLOSED, context) : undefined;
    const authority = verify
      ? resolveAuthority({ kind: 'Secret', ...named, field }, CLOSED, context)
      : undefined;
    if ((needsPair && certificate === undefined) || (verify && authority === undefined)) return undefined;
    return { certificate, authority };
  }

  #reportUnused(): void {
    const [name] = this.#tlsNames;
    if (name === undefined || this.#isUnusedReported) return;
    this.#isUnusedReported = true;
    const message = `Ignoring ${this.#tlsNames.join(', ')}: no TLS is spoken with endpoints, want backend-protocol HTTPS, GRPCS or AUTO_HTTP`;
    this.#context.report('SP4004', this.#reader.path(name), message);
  }

  #reportUnverified(): void {
    if (this.#isUnverifiedReported) return;
    this.#isUnverifiedReported = true;
    const name = this.#tlsNames.includes('proxy-ssl-verify') ? 'proxy-ssl-verify' : 'backend-protocol';
    const message = 'Speaking TLS with endpoints without verifying who they are, want proxy-ssl-verify: "on"';
    this.#context.report('SP4006', this.#reader.path(name), message);
  }
}

const noTlsValues: TlsValues = {
  secret: '',
  verify: false,
  verifyDepth: 1,
  name: '',
  sendName: false,
  versions: [],
  ciphers: '',
};

function readProtocol(reader: AnnotationReader, context: ObjectContext): Protocol | 'closed' | undefined {
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

/** 'closed' after a report. Every value is looked at, whether TLS is spoken or not. */
function readTlsValues(reader: AnnotationReader): TlsValues | 'closed' {
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

function protocolOf(policy: PolicyClaim | undefined): Protocol {
  if (policy === undefined) return protocols.HTTP;
  const { protocol, grpc: isGrpc } = policy.settings;
  return { protocol, ...(isGrpc === undefined ? {} : { grpc: isGrpc }), secure: policy.sets.tls };
}
