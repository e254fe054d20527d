import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

import type { TestPair } from './certificates.ts';
import { startProxy } from './data-plane-harness.ts';
import type { TestCertificates, TestProxy, TestProxyOptions, TestRoute } from './data-plane-harness.ts';
import { RawClient } from './raw-client.ts';
import type { RawResponse } from './raw-client.ts';
import { RawUpstream } from './raw-upstream.ts';

/** One request over TLS of its own; what is left out is `GET /x` to `secure.example` by a client without a certificate. */
export interface Ask extends ConnectionOptions {
  readonly client?: TestPair;
  /** Value of the Host field; the name of the handshake (`servername`) is another thing. */
  readonly Host?: string;
  readonly path?: string;
  /** More lines of the head. */
  readonly fields?: string;
}

export interface Asked {
  readonly status: number;
  readonly response: RawResponse;
  readonly resumed: boolean;
  /** To offer in the next handshake. */
  readonly session: Buffer | undefined;
}

/** A proxy with TLS between clients that may have certificates and an upstream that is told about them. */
export class ClientCertificateRig {
  readonly proxy: TestProxy;
  readonly upstream: RawUpstream;
  readonly #more: readonly TestRoute[];
  readonly #sessions = new WeakMap<TLSSocket, Buffer>();

  private constructor(proxy: TestProxy, upstream: RawUpstream, more: readonly TestRoute[]) {
    this.proxy = proxy;
    this.upstream = upstream;
    this.#more = more;
  }

  /** One route for every host, and `more`. */
  static async start(
    certificates: TestCertificates,
    { more = [], ...options }: TestProxyOptions & { readonly more?: readonly TestRoute[] } = {},
  ): Promise<ClientCertificateRig> {
    const upstream = await RawUpstream.start();
    const routes = [{ upstream: [upstream.port] }, ...more];
    const proxy = await startProxy(routes, { tls: {}, certificates, ...options });
    return new ClientCertificateRig(proxy, upstream, more);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.upstream.stop();
  }

  /** Another generation with the same routes. */
  publish(certificates: TestCertificates): Promise<void> {
    return this.proxy.publish([{ upstream: [this.upstream.port] }, ...this.#more], certificates);
  }

  /** A handshake that ended well. */
  async handshake({ client, ...options }: Ask = {}): Promise<TLSSocket> {
    const socket = connect({
      port: this.proxy.tlsPort,
      host: '127.0.0.1',
      servername: 'secure.example',
      rejectUnauthorized: false,
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
      ...options,
    });
    // A session of TLS 1.3 comes behind the handshake.
    socket.on('session', (session: Buffer) => this.#sessions.set(socket, session));
    await once(socket, 'secureConnect');
    return socket;
  }

  async ask(ask: Ask = {}): Promise<Asked> {
    const socket = await this.handshake(ask);
    const client = new RawClient(socket);
    client.send(requestText(ask));
    const response = await client.response();
    const resumed = socket.isSessionReused();
    client.close();
    return { status: response.status, response, resumed, session: this.#sessions.get(socket) };
  }

  /** Requests one after the other over one HTTP/2 connection: the status of each. */
  async askHttp2(ask: Ask, hosts: readonly string[]): Promise<readonly number[]> {
    const socket = await this.handshake({ ...ask, ALPNProtocols: ['h2'] });
    const session = connectHttp2('https://secure.example', { createConnection: () => socket });
    const found: number[] = [];
    for (const host of hosts) {
      const stream = session.request({ ':path': '/x', ':authority': host });
      const [headers] = (await once(stream, 'response')) as [{ readonly ':status': number }];
      found.push(headers[':status']);
      stream.resume();
      await once(stream, 'close');
    }
    session.destroy();
    return found;
  }

  /** Fields about certificates that the upstream was sent last. */
  get told(): Readonly<Record<string, string>> {
    const fields = [...(this.upstream.requests.at(-1)?.headers ?? [])];
    return Object.fromEntries(fields.filter(([name]) => /^ssl.client|client.cert/.test(name)));
  }
}

export function requestText({ Host = 'secure.example', path = '/x', fields = '' }: Ask): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${Host}\r\n${fields}\r\n`;
}
