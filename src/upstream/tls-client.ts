import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext } from 'node:tls';

import type {
  EntryRef,
  TableAuthority,
  TableCertificate,
  TableUpstream,
  UpstreamProtocol,
  UpstreamTls,
} from '../table/route-table.ts';
import { readBundle } from '../util/certificate-bundle.ts';
import { chainDepth } from './chain-depth.ts';

/** What an upstream's entry refers to, in the table that it is made for. */
export interface UpstreamRefs {
  certificate(id: string): TableCertificate | undefined;
  authority(id: string): TableAuthority | undefined;
}

/** Why an endpoint is not spoken to, for logs; `name` is the certificate's only fault where it is for somebody else. */
export interface Distrust {
  readonly kind: 'certificate' | 'name' | 'protocol';
  readonly detail: string;
}

/** `w*.example` is for nobody (RFC 9525 §6.3). */
const wholeLabels = { partialWildcards: false } as const;

const offers: Readonly<Record<UpstreamProtocol, string[]>> = {
  http1: ['http/1.1'],
  http2: ['h2'],
  auto: ['h2', 'http/1.1'],
};

/**
 * TLS towards the endpoints of one upstream: what is shown and who is believed, made once. Sessions are kept per endpoint
 * and never leave the upstream: one that was made under another policy, or for another name, is resumed by nobody.
 * What cannot be had (a Secret that is gone, a key that does not fit) is a fault, and nothing is sent.
 */
export class TlsClient {
  readonly #tls: UpstreamTls;
  readonly #protocol: UpstreamProtocol;
  readonly #refs: ResolvedRefs;
  #context: SecureContext | undefined;
  #fault: string | undefined;

  constructor(tls: UpstreamTls, protocol: UpstreamProtocol, refs: UpstreamRefs) {
    this.#tls = tls;
    this.#protocol = protocol;
    this.#refs = resolve(tls, refs);
    this.#fault = this.#refs.fault;
  }

  /** Why nothing can be sent to this upstream; undefined when all is well. */
  get fault(): string | undefined {
    if (this.#fault === undefined && this.#context === undefined) this.#prepare();
    return this.#fault;
  }

  /** `session` is resumed if the endpoint agrees. `onlyHttp1`: for what can be asked of HTTP/1.1 alone. */
  options(session: Buffer | undefined, onlyHttp1: boolean): ConnectionOptions {
    const { fault } = this;
    const context = this.#context;
    if (fault !== undefined || context === undefined) throw new Error(`TLS to endpoints: ${fault}`);
    const { name, sendName, verify } = this.#tls;
    const isNamed = sendName && name !== '' && isIP(name) === 0;
    return {
      secureContext: context,
      rejectUnauthorized: verify,
      // Whom the certificate is for is looked at once the handshake is done: here resumed ones would be left out.
      checkServerIdentity: () => undefined,
      ALPNProtocols: onlyHttp1 ? offers.http1 : offers[this.#protocol],
      ...(isNamed ? { servername: name } : {}),
      ...(session === undefined ? {} : { session }),
    };
  }

  /** What is wrong with who has answered. The chain itself has been verified by the handshake. */
  judge(socket: Socket, onlyHttp1: boolean): Distrust | undefined {
    if (!(socket instanceof TLSSocket)) return { kind: 'protocol', detail: 'no TLS' };
    if (this.#protocol === 'http2' && !onlyHttp1 && socket.alpnProtocol !== 'h2')
      return {
        kind: 'protocol',
        detail: 'the endpoint did not choose h2 by ALPN, which HTTP/2 over TLS needs',
      };
    if (!this.#tls.verify) return undefined;
    if (!socket.authorized) return { kind: 'certificate', detail: 'certificate not verified' };
    // The session was made by a handshake of this upstream, which was looked at.
    return socket.isSessionReused() ? undefined : this.#judgeCertificate(socket);
  }

  #judgeCertificate(socket: TLSSocket): Distrust | undefined {
    const { name, verifyDepth } = this.#tls;
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return { kind: 'certificate', detail: 'no certificate' };
    const isFor = isIP(name) === 0 ? leaf.checkHost(name, wholeLabels) : leaf.checkIP(name);
    if (isFor === undefined)
      return { kind: 'name', detail: `certificate is not for ${JSON.stringify(name)}` };
    if (verifyDepth === undefined) return undefined;
    const depth = chainDepth(leaf, readBundle(this.#refs.authority?.ca ?? ''), verifyDepth);
    return depth <= verifyDepth
      ? undefined
      : { kind: 'certificate', detail: `certificate chain is longer than ${verifyDepth}` };
  }

  #prepare(): void {
    const { minVersion, maxVersion, ciphers, verify } = this.#tls;
    const { certificate, authority } = this.#refs;
    try {
      this.#context = createSecureContext({
        // Without verification nobody is believed, and the public roots need not be held.
        ...(verify ? (authority === undefined ? {} : { ca: authority.ca }) : { ca: [] }),
        ...(verify && authority?.crl !== undefined ? { crl: authority.crl } : {}),
        ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
        ...(minVersion === undefined ? {} : { minVersion }),
        ...(maxVersion === undefined ? {} : { maxVersion }),
        ...(ciphers === undefined ? {} : { ciphers }),
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#fault = `TLS settings of the upstream cannot be used: ${code ?? message}`;
    }
  }
}

/** The TLS of an entry; undefined where none is spoken. */
export function tlsClientOf(entry: TableUpstream, refs: UpstreamRefs): TlsClient | undefined {
  return entry.tls === undefined ? undefined : new TlsClient(entry.tls, entry.protocol, refs);
}

interface ResolvedRefs {
  readonly certificate: TableCertificate | undefined;
  readonly authority: TableAuthority | undefined;
  readonly fault: string | undefined;
}

function resolve(tls: UpstreamTls, refs: UpstreamRefs): ResolvedRefs {
  const certificate = tls.certificate && refs.certificate(tls.certificate.id);
  const authority = tls.authority && refs.authority(tls.authority.id);
  const fault =
    refFault('client certificate', tls.certificate, certificate) ??
    refFault('authority', tls.authority, authority);
  return { certificate, authority, fault };
}

/** A reference leads to exactly what its entry was made with, or nowhere. */
function refFault(what: string, ref: EntryRef | undefined, found: EntryRef | undefined): string | undefined {
  if (ref === undefined || found?.digest === ref.digest) return undefined;
  return `${what} ${JSON.stringify(ref.id)} is ${found === undefined ? 'not in the table' : 'another one in the table'}`;
}
