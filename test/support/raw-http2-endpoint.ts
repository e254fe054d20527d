import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { PREFACE, flag, frameType } from '../../src/http2/frames.ts';
import { HpackDecoder } from '../../src/http2/hpack/hpack-decoder.ts';
import { frame, settings, settingsAck, windowUpdate } from './http2-rig.ts';

/** A request whose head has come, or all of it where the endpoint waits for that. */
export interface EndpointRequest {
  readonly stream: number;
  readonly fields: ReadonlyMap<string, string>;
  /** Which connection it came on, from 0. */
  readonly connection: number;
  body: string;
  trailers: ReadonlyMap<string, string> | undefined;
}

/** The bytes that answer a request, right or wrong; undefined: nothing yet. */
export type EndpointBehaviour = (request: EndpointRequest, socket: Socket) => readonly Buffer[] | undefined;

/** An endpoint of HTTP/2 by prior knowledge that answers with the frames it is given. */
export class RawHttp2Endpoint {
  readonly port: number;
  readonly requests: EndpointRequest[] = [];
  readonly sockets: Socket[] = [];
  /** Streams that the other side has reset, `connection.stream code`. */
  readonly resets: string[] = [];
  behaviour: EndpointBehaviour;
  /** Answers when the request is complete, rather than with its head. */
  waitsForEnd = false;
  readonly #open = new Map<string, EndpointRequest>();
  readonly #stop: () => Promise<void>;

  private constructor(port: number, behaviour: EndpointBehaviour, stop: () => Promise<void>) {
    this.port = port;
    this.behaviour = behaviour;
    this.#stop = stop;
  }

  static async start(behaviour: EndpointBehaviour): Promise<RawHttp2Endpoint> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = new RawHttp2Endpoint((server.address() as AddressInfo).port, behaviour, async () => {
      for (const socket of endpoint.sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    server.on('connection', (socket) => endpoint.#serve(socket));
    return endpoint;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #serve(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    const decoder = new HpackDecoder();
    let pending = Buffer.alloc(0);
    let isGreeted = false;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (!isGreeted && pending.length >= PREFACE.length) {
        isGreeted = true;
        pending = pending.subarray(PREFACE.length);
        socket.write(settings());
      }
      while (isGreeted && pending.length >= 9) {
        const end = 9 + pending.readUIntBE(0, 3);
        if (pending.length < end) return;
        const bytes = pending.subarray(0, end);
        pending = pending.subarray(end);
        this.#frame(bytes, { socket, connection, decoder });
      }
    });
  }

  #frame(bytes: Buffer, { socket, connection, decoder }: Line): void {
    const [type, flags] = [bytes[3] as number, bytes[4] as number];
    const stream = bytes.readUInt32BE(5);
    if (type === frameType.settings && (flags & flag.ack) === 0) socket.write(settingsAck());
    if (type === frameType.ping && (flags & flag.ack) === 0)
      socket.write(frame(frameType.ping, flag.ack, 0, bytes.subarray(9)));
    if (type === frameType.rstStream) this.resets.push(`${connection}.${stream} ${bytes.readUInt32BE(9)}`);
    const isLast = (flags & flag.endStream) !== 0;
    if (type === frameType.headers) this.#headers(stream, bytes, { socket, connection, decoder }, isLast);
    if (type !== frameType.data) return;
    const request = this.#open.get(`${connection}.${stream}`);
    if (request === undefined) return;
    request.body += bytes.toString('latin1', 9);
    socket.write(Buffer.concat([windowUpdate(0, bytes.length), windowUpdate(stream, bytes.length)]));
    if (isLast && this.waitsForEnd) this.#answer(request, socket);
  }

  // oxlint-disable-next-line max-params -- the parts of a frame, and where it came
  #headers(stream: number, bytes: Buffer, { socket, connection, decoder }: Line, isLast: boolean): void {
    const fields = new Map<string, string>();
    decoder.decode(bytes, 9, bytes.length, {
      field: (name, value) =>
        void fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value),
    });
    const begun = this.#open.get(`${connection}.${stream}`);
    if (begun === undefined) {
      const request = { stream, fields, connection, body: '', trailers: undefined };
      this.#open.set(`${connection}.${stream}`, request);
      this.requests.push(request);
      if (isLast || !this.waitsForEnd) this.#answer(request, socket);
    } else {
      begun.trailers = fields;
      if (this.waitsForEnd) this.#answer(begun, socket);
    }
  }

  #answer(request: EndpointRequest, socket: Socket): void {
    const answer = this.behaviour(request, socket);
    if (answer !== undefined) socket.write(Buffer.concat(answer));
  }
}

interface Line {
  readonly socket: Socket;
  readonly connection: number;
  readonly decoder: HpackDecoder;
}
