import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { responseHeadText } from '../../http1/message-writer.ts';
import type { HandshakeFailure } from '../../telemetry/handshake-cells.ts';
import type { Expiring } from '../../util/deadline-sweeper.ts';
import { HeaderList } from '../../util/header-list.ts';
import { errorAnswer } from '../error-answers.ts';
import type { LinkedClientAuth } from '../linked-client-auth.ts';
import { canonicalHost } from '../normalise.ts';
import type { ProxyServices } from '../proxy-services.ts';
import { MAX_CLIENT_HELLO_BYTES, readClientHello } from './client-hello.ts';
import type { ClientHello } from './client-hello.ts';
import { identify, unjudged } from './client-identity.ts';
import type { ClientIdentity } from './client-identity.ts';
import { handshakeFailure } from './handshake-failure.ts';
import { readPeer } from './peer-facts.ts';
import type { TlsContexts } from './tls-contexts.ts';
import type { CertificatePair } from './tls-settings.ts';

/** A refused connection reads on for this long, so that its answer is not lost to a reset. */
const LINGER_MS = 2_000;
/** Shutting down: a handshake may have a request behind it, so it is awaited this long. */
const LAST_HANDSHAKE_MS = 2_000;
/** What is offered by ALPN (RFC 7301), in order of preference: with HTTP/2, and without. */
const PROTOCOLS = ['h2', 'http/1.1'];
const PROTOCOLS_OF_HTTP1 = ['http/1.1'];
const HANDSHAKE_RECORD = 22;

export interface HandshakeOptions {
  readonly services: ProxyServices;
  readonly contexts: TlsContexts;
  readonly timeoutMs: number;
  /**
   * The connection is encrypted; `onClosed` follows at once, since it is no handshake any more. `identity` is undefined
   * where no certificate was asked for.
   */
  onSecure(socket: TLSSocket, identity: ClientIdentity | undefined): void;
  /** Called once. */
  onClosed(handshake: Handshake): void;
}

/** `hello`: reading the ClientHello. `library`: the TLS library has the connection. `refused`: its answer is out. */
type Phase = 'hello' | 'library' | 'refused' | 'closed';

/**
 * An accepted connection until it is encrypted. Its ClientHello is read here first: it chooses the certificate, and whether
 * one of the client's is asked for, by the table in force, which the handshake keeps to its end, whatever is swapped meanwhile.
 * No client is refused here for its certificate, or for having none: what it showed goes with the connection, and each of its
 * requests is judged by the policy of its own host (client-certificate.ts). So a Host that differs from the name of the
 * handshake is served, as by ingress-nginx, unless it wants more than was asked for.
 */
export class Handshake implements Expiring {
  deadline: number;
  sweepIndex = -1;
  readonly socket: Socket;
  readonly #options: HandshakeOptions;
  #phase: Phase = 'hello';
  #received: Buffer | undefined;
  #startMs = 0;
  /** Of a host that wants certificates. */
  #auth: LinkedClientAuth | undefined;
  #asks = false;
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onEnd = (): void => this.#fail('closed');
  readonly #onError = (): void => this.#fail('closed');
  readonly #onClose = (): void => this.#fail('closed');

  constructor(socket: Socket, options: HandshakeOptions) {
    this.socket = socket;
    this.#options = options;
    const { sweeper } = options.services;
    this.deadline = sweeper.after(options.timeoutMs);
    sweeper.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  onDeadline(): void {
    if (this.#phase === 'refused') this.#close();
    else this.#fail('timeout');
  }

  drain(): void {
    const last = this.#options.services.sweeper.after(LAST_HANDSHAKE_MS);
    this.deadline = this.deadline === 0 ? last : Math.min(this.deadline, last);
  }

  #read(chunk: Buffer): void {
    if (this.#phase !== 'hello') return;
    this.#options.services.sweeper.turn();
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    this.#received = received;
    if (received[0] !== HANDSHAKE_RECORD) return this.#refusePlain(received);
    const result = readClientHello(received);
    if (result === 'garbage' || (result === 'more' && received.length > MAX_CLIENT_HELLO_BYTES))
      return this.#fail('garbage');
    if (result !== 'more') this.#begin(result.hello, received);
  }

  #begin(hello: ClientHello, received: Buffer): void {
    const { services, contexts } = this.#options;
    const { socket } = this;
    this.#phase = 'library';
    this.#received = undefined;
    this.#startMs = services.sweeper.turnMs;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.pause();
    socket.unshift(received);
    let secure: TLSSocket;
    try {
      const name = serverName(hello);
      const certificate = services.table.certificateFor(name);
      const asking = this.#ask(services.table.clientAuthFor(name), certificate, hello);
      secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: asking ?? contexts.choose(certificate, hello.ticketNames),
        requestCert: asking !== undefined,
        rejectUnauthorized: false,
        ALPNProtocols: services.settings.http2.offered ? PROTOCOLS : PROTOCOLS_OF_HTTP1,
      });
    } catch (error) {
      // One client must not end the worker, and with it everybody else's connections.
      services.warn('handshake not begun', { error: (error as Error).message });
      return this.#fail('other');
    }
    secure.on('error', (error: NodeJS.ErrnoException) => this.#fail(handshakeFailure(error.code)));
    // A client that leaves inside the handshake is noticed by reading only; what it sends can be read from 'secure' on.
    secure.on('end', this.#onEnd);
    secure.resume();
    // The event that tls.Server waits for too. A renegotiation that was refused may bring another.
    secure.once('secure', () => this.#finish(secure, hello));
  }

  /** The context that asks for a certificate of the client, where its host wants one. */
  #ask(
    auth: LinkedClientAuth | undefined,
    certificate: CertificatePair | undefined,
    { ticketNames }: ClientHello,
  ): SecureContext | undefined {
    if (auth?.authority === undefined) return undefined;
    this.#auth = auth;
    const context = this.#options.contexts.chooseAsking(certificate, auth.authority, ticketNames);
    this.#asks = context !== undefined;
    return context;
  }

  #finish(secure: TLSSocket, hello: ClientHello): void {
    if (this.#phase !== 'library') return;
    secure.off('end', this.#onEnd);
    if (!agrees(secure, hello)) return this.#fail('garbage');
    const { services } = this.#options;
    let identity: ClientIdentity | undefined | 'too-large';
    try {
      identity = this.#identify(secure);
    } catch (error) {
      // A certificate may be whatever a client has made up.
      services.warn('certificate of a client not read', { error: (error as Error).message });
      return this.#fail('other');
    }
    if (identity === 'too-large') return this.#fail('garbage');
    services.sweeper.turn();
    services.counters.handshakeDone({
      version: secure.getProtocol() ?? '',
      cipher: secure.getCipher().name,
      resumed: secure.isSessionReused(),
      ms: services.sweeper.turnMs - this.#startMs,
    });
    this.#options.onSecure(secure, identity);
    this.#leave();
  }

  #identify(secure: TLSSocket): ClientIdentity | undefined | 'too-large' {
    const auth = this.#auth;
    if (auth?.authority === undefined) return undefined;
    const { contexts, services } = this.#options;
    const { policy, verifyDepth, authority } = auth;
    if (!this.#asks) return unjudged(policy);
    const facts = readPeer(secure);
    if (facts === 'too-large') return facts;
    const believed = contexts.certificatesOf(authority);
    const { identity, fromClient } = identify(facts, { policy, verifyDepth, believed }, Date.now());
    if (fromClient) contexts.resumeNoMore(authority);
    services.counters.clientCertificate(identity.verdict === 'stranger' ? 'failed' : identity.verdict);
    return identity;
  }

  /** Something else than TLS. A request in plain HTTP gets an answer that can be read. */
  #refusePlain(received: Buffer): void {
    if (!/^[A-Z]{1,20}(?: |$)/.test(received.toString('latin1', 0, 21))) return this.#fail('garbage');
    const { services } = this.#options;
    services.counters.handshakeFailed('plain-http');
    this.#phase = 'refused';
    this.#received = undefined;
    this.deadline = services.sweeper.after(LINGER_MS);
    const { status, headers } = errorAnswer('SP_BAD_REQUEST', services.fields.requestIds.create());
    const body = '400 Bad Request: plain HTTP on a port for HTTPS\n';
    const list = new HeaderList();
    for (const [name, value] of headers) list.append(name, value);
    const framing = `Content-Length: ${body.length}\r\nConnection: close\r\n`;
    this.socket.end(responseHeadText(status, '', list, framing) + body, 'latin1');
  }

  #fail(reason: HandshakeFailure): void {
    if (this.#phase === 'closed') return;
    if (this.#phase !== 'refused') this.#options.services.counters.handshakeFailed(reason);
    this.#close();
  }

  #close(): void {
    this.socket.destroy();
    this.#leave();
  }

  #leave(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.deadline = 0;
    this.#received = undefined;
    this.#options.services.sweeper.remove(this);
    this.socket.off('close', this.#onClose);
    this.#options.onClosed(this);
  }
}

/** The canonical name that is asked for, '' for none or for what is no name: both get the default certificate. */
function serverName({ serverName: name }: ClientHello): string {
  return name === undefined ? '' : (canonicalHost(name) ?? '');
}

/**
 * Whether the library read the name that chose the certificate. It forgets names in sessions of TLS 1.2 that it resumes;
 * there the key of the ticket belongs to the certificate.
 */
function agrees(secure: TLSSocket, hello: ClientHello): boolean {
  const { servername } = secure as TLSSocket & { readonly servername: string | false | null | undefined };
  if (typeof servername !== 'string') return hello.serverName === undefined || secure.isSessionReused();
  return servername === hello.serverName;
}
