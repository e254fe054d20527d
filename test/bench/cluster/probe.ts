// Keep-alive connections that ask the same question until each of them has the wanted answer: when a change is seen in
// every worker, as a client would see it.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Pause between two questions on one connection. */
const PAUSE_MS = 1;

class ProbeConnection {
  readonly #socket: Socket;
  #text = '';
  #answered: ((answer: Answer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1')));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#failed?.(new Error('a probe connection was closed')));
  }

  ask(host: string, path: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('a probe connection was closed'));
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return undefined;
    });
  }

  end(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  /** Every answer here has a Content-Length. */
  #receive(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#text.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#text.length < end + 4 + length) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.#text.slice(end + 4, end + 4 + length) };
    this.#text = this.#text.slice(end + 4 + length);
    this.#answered?.(answer);
  }
}

/** Several connections to one port; enough of them reach every worker. */
export class Prober {
  #connections: readonly ProbeConnection[] = [];

  async open(port: number, count: number): Promise<void> {
    this.#connections = await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        await new Promise<void>((resolve, reject) => {
          socket.once('connect', resolve);
          socket.once('error', reject);
        });
        return new ProbeConnection(socket);
      }),
    );
  }

  close(): void {
    for (const connection of this.#connections) connection.end();
  }

  /** When the last connection had the wanted answer (performance.now()). Rejects after `limitMs`. */
  async untilAll(
    host: string,
    path: string,
    wanted: (answer: Answer) => boolean,
    limitMs: number,
  ): Promise<number> {
    const deadline = performance.now() + limitMs;
    const seen = this.#connections.map(async (connection) => {
      for (;;) {
        const answer = await connection.ask(host, path);
        const now = performance.now();
        if (wanted(answer)) return now;
        if (now > deadline)
          throw new Error(`${host}${path} still answers ${answer.status} after ${limitMs} ms`);
        await delay(PAUSE_MS);
      }
    });
    return Math.max(...(await Promise.all(seen)));
  }
}
