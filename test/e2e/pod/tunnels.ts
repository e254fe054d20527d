import type { Duplex } from 'node:stream';

import { openHttp2, startHttp1 } from './call.ts';
import type { Target } from './call.ts';
import { acceptOf, frame, opcodes, readFrames } from './web-socket.ts';

/** What became of WebSockets. */
export interface TunnelReport {
  readonly opened: number;
  /** Messages that were sent, and came back as they were. */
  readonly echoed: number;
  /** Everything that went otherwise. */
  readonly broken: readonly string[];
}

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const pauseMs = 20;

/** WebSockets that send a message, wait for its echo, and send the next one: half over HTTP/1.1, half in a session of HTTP/2. */
export class Tunnels {
  readonly #streams: Duplex[] = [];
  readonly #broken: string[] = [];
  #echoed = 0;
  #stopping = false;

  private constructor() {}

  /** Rejects unless all were agreed to. */
  static async open(target: Target, count: number): Promise<Tunnels> {
    const session = await openHttp2(target);
    const tunnels = new Tunnels();
    const opening = Array.from({ length: count }, (_, index) =>
      index % 2 === 0 ? overHttp1(target) : overHttp2(session, target),
    );
    for (const stream of await Promise.all(opening)) tunnels.#keep(stream);
    return tunnels;
  }

  /** What was so far. */
  get report(): TunnelReport {
    return { opened: this.#streams.length, echoed: this.#echoed, broken: this.#broken };
  }

  close(): TunnelReport {
    const { report } = this;
    this.#stopping = true;
    for (const stream of this.#streams) stream.destroy();
    return report;
  }

  #keep(stream: Duplex): void {
    const name = `WebSocket ${this.#streams.push(stream)}`;
    let sent = '';
    const send = (): void => {
      if (this.#stopping) return;
      sent = `${name}, message at ${performance.now()}`;
      stream.write(frame(opcodes.text, Buffer.from(sent), { isMasked: true }));
    };
    const isBroken = (what: string): void => {
      if (!this.#stopping) this.#broken.push(`${new Date().toISOString()} ${name} ${what}`);
    };
    readFrames(stream, (opcode, payload) => {
      if (opcode === opcodes.close) isBroken(`got a close frame, ${payload.readUInt16BE()}`);
      else if (String(payload) === sent) this.#echoed++;
      else isBroken(`got ${String(payload)}, want ${sent}`);
      setTimeout(send, pauseMs);
    });
    stream.on('error', (error) => isBroken(error.message));
    stream.once('close', () => isBroken('ended'));
    send();
  }
}

function overHttp1(target: Target): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
    };
    const call = startHttp1(target, { headers }, false);
    call.once('error', reject);
    call.once('response', ({ statusCode }) => {
      call.destroy();
      reject(new Error(`open a WebSocket: status ${statusCode}, want 101`));
    });
    call.once('upgrade', ({ headers: fields }, socket) => {
      socket.setTimeout(0);
      if (fields['sec-websocket-accept'] === acceptOf(key)) resolve(socket);
      else reject(new Error(`open a WebSocket: accepted as ${String(fields['sec-websocket-accept'])}`));
    });
    call.end();
  });
}

/** RFC 8441. */
function overHttp2(session: Awaited<ReturnType<typeof openHttp2>>, target: Target): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'https',
      ':path': new URL(target.url).pathname,
      ':authority': target.host,
      'sec-websocket-version': '13',
    });
    stream.once('error', reject);
    stream.once('response', ({ ':status': status }) => {
      if (status === 200) resolve(stream);
      else reject(new Error(`open a WebSocket in HTTP/2: status ${status}, want 200`));
    });
  });
}
