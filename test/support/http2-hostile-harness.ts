import assert from 'node:assert/strict';

import type { ErrorName } from '../../src/http2/frames.ts';
import type { ErrorCodeName } from '../../src/telemetry/error-codes.ts';
import { testSettings } from './data-plane-harness.ts';
import { HostileRig } from './hostile-harness.ts';
import type { Forwarded, HostileRigOptions, Refusal, UpstreamView } from './hostile-harness.ts';
import { data } from './http2-rig.ts';
import type { Fields } from './http2-rig.ts';
import { RawHttp2Client, headers } from './raw-http2-client.ts';
import type { RawHttp2Options, StreamAnswer } from './raw-http2-client.ts';
import type { RecordedRequest } from './raw-upstream.ts';

// The rules for hostile input over HTTP/2: what is malformed resets its stream, what must not be served is answered, and
// neither reaches an upstream; the connection lives on, and the next request on it gets its own answer, as does anybody
// else's next request through the same pool.

/** How clients come: HTTP/2 by prior knowledge on the plain port, or by ALPN on the TLS port. */
export type Transport = 'h2c' | 'h2';
export const transports: readonly Transport[] = ['h2c', 'h2'];

/** Frames of one request, on the stream that is given. */
export type Frames = (stream: number) => readonly Buffer[];

export class Http2HostileRig {
  readonly rig: HostileRig;
  readonly scheme: 'http' | 'https';

  private constructor(rig: HostileRig, scheme: 'http' | 'https') {
    this.rig = rig;
    this.scheme = scheme;
  }

  static async start(transport: Transport, options: HostileRigOptions = {}): Promise<Http2HostileRig> {
    const isPlain = transport === 'h2c';
    const settings = { ...options.settings, http2: { ...testSettings.http2, plain: isPlain } };
    const rig = await HostileRig.start({ ...options, settings, ...(isPlain ? {} : { tls: {} }) });
    return new Http2HostileRig(rig, isPlain ? 'http' : 'https');
  }

  stop(): Promise<void> {
    return this.rig.stop();
  }

  connect(options: RawHttp2Options = {}): Promise<RawHttp2Client> {
    const { port, tlsPort } = this.rig.proxy;
    if (this.scheme === 'http') return RawHttp2Client.connect(port, options);
    return RawHttp2Client.connect(tlsPort, { tls: { servername: 'a.example' }, ...options });
  }

  /** GET of /case at a.example, with these fields behind. */
  get(...fields: Fields): Fields {
    return [
      [':method', 'GET'],
      [':scheme', this.scheme],
      [':path', '/case'],
      [':authority', 'a.example'],
      ...fields,
    ];
  }

  post(...fields: Fields): Fields {
    return [[':method', 'POST'], ...this.get(...fields).slice(1)];
  }

  /** The same with another value. */
  instead(name: string, value: string): Fields {
    return this.get().map(([given, old]) => [given, given === name ? value : old]);
  }

  without(name: string): Fields {
    return this.get().filter(([given]) => given !== name);
  }

  /** GET of this path on this host. */
  at(path: string, host = 'a.example'): Fields {
    return this.instead(':path', path).map(([name, value]) => [name, name === ':authority' ? host : value]);
  }

  /** Sends what must not reach an upstream, on a connection that goes on. */
  async #unheard(send: Fields | Frames): Promise<StreamAnswer> {
    const { rig } = this;
    await rig.canary();
    const seen = rig.watch();
    const client = await this.connect();
    const stream = client.nextStream();
    client.send(...(typeof send === 'function' ? send(stream) : headers(stream, send)));
    const answer = await client.answer(stream);
    assert.deepEqual(seen(), { requests: [], bytes: '', dials: 0 });
    await this.goesOn(client);
    client.close();
    await rig.canary();
    assert.deepEqual(
      seen().requests.map(({ target }) => target.replace(/\d+$/, '')),
      ['/goes-on', '/canary-'],
    );
    return answer;
  }

  /** The next request on a connection gets its own answer. */
  async goesOn(client: RawHttp2Client): Promise<void> {
    assert.partialDeepStrictEqual(await client.request(this.at('/goes-on')), {
      status: 200,
      body: 'GET /goes-on ',
      isEnded: true,
    });
    assert.deepEqual(client.goaways, []);
    assert.deepEqual(client.faults, []);
  }

  /** Malformed: the stream is reset, and told nothing else. */
  async resets(send: Fields | Frames, code: ErrorName = 'PROTOCOL_ERROR'): Promise<void> {
    const { status, reset } = await this.#unheard(send);
    assert.deepEqual({ status, reset }, { status: 0, reset: code });
  }

  /** Well-formed, but not to be served: answered with this status, counted once. */
  async refuses(send: Fields | Frames, { status, code }: Refusal): Promise<StreamAnswer> {
    const counted = this.errors(code);
    const answer = await this.#unheard(send);
    assert.partialDeepStrictEqual(answer, { status, isEnded: true });
    assert.ok(answer.reset === undefined || answer.reset === 'NO_ERROR', `reset with ${answer.reset}`);
    assert.equal(this.errors(code) - counted, 1);
    return answer;
  }

  /** Answered here without being counted as wrong. */
  async answers(send: Fields | Frames, status: number): Promise<StreamAnswer> {
    const answer = await this.#unheard(send);
    assert.partialDeepStrictEqual(answer, { status, isEnded: true });
    return answer;
  }

  /**
   * Turns out to be malformed behind its head: the stream is reset, no upstream ever has a whole request of it, and the
   * connection that has a part of it is not used again.
   */
  async cuts(send: Frames, code: ErrorName = 'PROTOCOL_ERROR'): Promise<void> {
    const { rig } = this;
    await rig.canary();
    const seen = rig.watch();
    const socket = rig.upstream.sockets.at(-1);
    const client = await this.connect();
    const stream = client.nextStream();
    client.send(...send(stream));
    const { status, reset } = await client.answer(stream);
    assert.deepEqual({ status, reset }, { status: 0, reset: code });
    await this.goesOn(client);
    client.close();
    const { bytes, requests, dials } = seen();
    assert.deepEqual(
      requests.map(({ target }) => target),
      ['/goes-on'],
    );
    // Either nothing of it was sent, or the connection that has it is gone.
    if (dials === 0) assert.ok(bytes.startsWith('GET /goes-on '));
    else await rig.upstream.until(() => socket?.destroyed === true);
    await rig.canary();
  }

  /** Ends the connection, with this GOAWAY; nothing reaches an upstream, and others are served. */
  async fails(frames: readonly Buffer[], code: ErrorName): Promise<void> {
    const { rig } = this;
    await rig.canary();
    const seen = rig.watch();
    const client = await this.connect();
    client.send(...frames);
    await client.untilClosed();
    assert.equal(client.goaways.at(-1)?.code, code);
    assert.deepEqual(client.faults, []);
    client.close();
    assert.deepEqual(seen(), { requests: [], bytes: '', dials: 0 });
    await rig.canary();
  }

  /** Must be forwarded, as this one request, and answered by its own answer. */
  async forwards(send: Fields | Frames, request: Forwarded): Promise<RecordedRequest> {
    const { rig } = this;
    await rig.canary();
    const seen = rig.watch();
    const client = await this.connect();
    const stream = client.nextStream();
    client.send(...(typeof send === 'function' ? send(stream) : headers(stream, send)));
    const answer = await client.answer(stream);
    const [received, ...more] = seen().requests;
    assert.ok(received !== undefined, `not forwarded: ${JSON.stringify(answer)}`);
    assert.deepEqual(more, []);
    assert.partialDeepStrictEqual(received, request);
    const { method, target, body } = received;
    assert.partialDeepStrictEqual(answer, {
      status: 200,
      body: method === 'HEAD' ? '' : `${method} ${target} ${body}`,
      isEnded: true,
      reset: undefined,
    });
    await this.goesOn(client);
    client.close();
    await rig.canary();
    return received;
  }

  watch(): () => UpstreamView {
    return this.rig.watch();
  }

  errors(code: ErrorCodeName): number {
    return this.rig.errors(code);
  }
}

/** A request with a body, in one DATA frame each piece; the last one ends the stream. */
export function withBody(fields: Fields, ...pieces: readonly (string | Buffer)[]): Frames {
  return (stream) => [
    ...headers(stream, fields, { endStream: false }),
    ...pieces.map((piece, index) => data(stream, piece, index === pieces.length - 1 ? 1 : 0)),
  ];
}

/** Lines of HTTP/1.1 as fields of HTTP/2. */
export function fieldsOf(lines: readonly string[]): Fields {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
}
