import { trimmed } from '../filters/annotation-grammar.ts';
import { quote } from '../filters/value-reader.ts';
import type { EntryRef } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import { isSameDialect, plainHttp, dialectOf, variantOf } from './dialect.ts';
import type { TlsWish, DialectWish, UpstreamVariant } from './dialect.ts';
import { policyFor } from './compile-policy.ts';
import { resolveAuthority, resolvePair } from './credentials.ts';
import type { OverridingSetting, PolicyClaim } from './fragment.ts';
import type { ObjectContext } from './object-context.ts';
import { parseNamespacedName, resolveReference } from './resolve-reference.ts';
import { serverNameOf } from './resolve-service.ts';
import { noTlsValues, protocols, readProtocol, readTlsValues } from './dialect-values.ts';
import type { Protocol, TlsValues } from './dialect-values.ts';

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
    const holds = (key: string): boolean => found.object?.data.has(key) === true;
    // One that holds authorities alone shows nothing to anybody; one that holds nothing, or is not there, is a slip.
    const hasPair = holds('tls.crt') || holds('tls.key');
    const needsPair = hasPair || (!verify && !holds('ca.crt'));
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
    const [first = 'backend-protocol'] = this.#tlsNames;
    const name = this.#tlsNames.includes('proxy-ssl-verify') ? 'proxy-ssl-verify' : first;
    const message = 'Speaking TLS with endpoints without verifying who they are, want proxy-ssl-verify: "on"';
    this.#context.report('SP4006', this.#reader.path(name), message);
  }
}

function protocolOf(policy: PolicyClaim | undefined): Protocol {
  if (policy === undefined) return protocols.HTTP;
  const { protocol, grpc: isGrpc } = policy.settings;
  return { protocol, ...(isGrpc === undefined ? {} : { grpc: isGrpc }), secure: policy.sets.tls };
}
