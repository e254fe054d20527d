// A steady load over keep-alive connections that notices every loss: `node steady-client.ts PORT CONNECTIONS HOST`.
// Each connection asks again a fixed time after its last request. A line on standard input ends the counting so far and
// prints it as one line of JSON (steady-count.ts); the end of standard input ends the process.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

import type { SteadyCount } from './steady-count.ts';

const [port, connections, host] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? ''];
const PERIOD_MS = 5;
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);

let latencies: number[] = [];
let failed = 0;
let closed = 0;
let announced = 0;

/** One connection; it is opened again when it is lost. */
class Client {
  #socket: Socket;
  #sentAt = 0;
  #waiting = false;
  #leaving = false;

  constructor() {
    this.#socket = this.#open();
  }

  #open(): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#leaving = false;
    socket.once('connect', () => this.#send());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1')));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#lost());
    return socket;
  }

  #send(): void {
    if (this.#socket.destroyed) return;
    this.#sentAt = performance.now();
    this.#waiting = true;
    this.#socket.write(request);
  }

  /** Answers are small enough to come in one piece. */
  #receive(text: string): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    latencies.push(performance.now() - this.#sentAt);
    if (!text.startsWith('HTTP/1.1 200 ')) failed++;
    if (/\r\nconnection: close\r\n/i.test(text)) {
      // Announced with the answer, as at the limit of requests on one connection: not a loss.
      this.#leaving = true;
      announced++;
      return;
    }
    const next = this.#sentAt + PERIOD_MS - performance.now();
    setTimeout(() => this.#send(), Math.max(next, 0));
  }

  #lost(): void {
    if (this.#waiting) failed++;
    if (!this.#leaving) closed++;
    this.#waiting = false;
    // Not at once: a proxy that is gone must not be asked in a busy loop.
    setTimeout(() => (this.#socket = this.#open()), PERIOD_MS);
  }
}

function count(): SteadyCount {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  const result = { requests: sorted.length, failed, closed, announced, p50Ms: at(0.5), p99Ms: at(0.99) };
  latencies = [];
  [failed, closed, announced] = [0, 0, 0];
  return result;
}

for (let index = 0; index < connections; index++) new Client();
const lines = createInterface({ input: process.stdin });
lines.on('line', () => process.stdout.write(`${JSON.stringify(count())}\n`));
lines.once('close', () => process.exit());
