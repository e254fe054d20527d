import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';
import { FrameMaker, frameText } from './http2-inputs.ts';
import { mutate } from './messages.ts';
import type { Random } from './random.ts';
import type { FuzzTarget } from './targets.ts';

const PING = 6;
const MARK = 'the-end!';
/** Turns of the event loop: until the mark comes back, and until requests have reached the upstream. */
const MOST_TURNS = 60;
const LAST_TURNS = 10;
/** The upstream's memory of what it got is thrown away after so many inputs. */
const REMEMBERED = 200;

/**
 * Whole connections of HTTP/2 through a running proxy, towards a strict upstream of HTTP/1.1: whatever clients send, every
 * request that arrives is well-formed and one of ours, there are no more than there were streams, nothing runs on behind a
 * connection that has gone, and the next client is served.
 */
export class ProxyTarget implements FuzzTarget {
  readonly name = 'http2-through-proxy';
  readonly batch = 20;
  #proxy: TestProxy | undefined;
  #upstream: RawUpstream | undefined;
  #inputs = 0;
  /** Requests that reached the upstream. */
  forwarded = 0;

  make(random: Random): string {
    const text = new FrameMaker(random, true).connection();
    return random.chance(0.3) ? mutate(random, text) : text;
  }

  async check(input: string): Promise<string | undefined> {
    const { proxy, upstream } = await this.#start();
    const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    await sendAll(socket, input);
    socket.destroy();
    while (isBusy(proxy)) await nextTurn();
    const problem = judge(upstream, input) ?? (await this.#nextClient(proxy));
    this.forwarded += upstream.requests.length - 1;
    upstream.requests.length = 0;
    if (++this.#inputs % REMEMBERED === 0 || problem !== undefined) await this.close();
    return problem;
  }

  async close(): Promise<void> {
    await this.#proxy?.stop();
    await this.#upstream?.stop();
    this.#proxy = undefined;
    this.#upstream = undefined;
  }

  async #start(): Promise<{ proxy: TestProxy; upstream: RawUpstream }> {
    this.#upstream ??= await RawUpstream.start(() => answer('ok'));
    this.#proxy ??= await startProxy([{ upstream: [this.#upstream.port] }], {
      // Whom TLS may have ended before: requests of https are no fault on a plain port.
      settings: { http2: { ...testSettings.http2, plain: true }, trustedProxies: ['127.0.0.0/8'] },
    });
    return { proxy: this.#proxy, upstream: this.#upstream };
  }

  async #nextClient({ port }: TestProxy): Promise<string | undefined> {
    const response = await fetch(`http://127.0.0.1:${port}/next`);
    const text = await response.text();
    return response.status === 200 && text === 'ok' ? undefined : `next client: ${response.status} ${text}`;
  }
}

/** Until all of it was read and what it asked for has had time to arrive, or the proxy has ended the connection. */
async function sendAll(socket: Socket, input: string): Promise<void> {
  let isOver = false;
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received = (received + chunk.toString('latin1')).slice(-32_768);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => (isOver = true));
  socket.write(Buffer.from(input + frameText(PING, 0, 0, MARK), 'latin1'));
  // Where the input ends inside of a frame, the mark is a part of it and never comes back.
  for (let turn = 0; turn < MOST_TURNS && !isOver && !received.includes(MARK); turn++) await nextTurn();
  for (let turn = 0; turn < LAST_TURNS && !isOver; turn++) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBusy({ counters }: TestProxy): boolean {
  return (['requestsActive', 'tunnelsActive', 'connectTunnelsActive'] as const).some(
    (cell) => counters.read(cell) > 0,
  );
}

function judge({ faults, requests }: RawUpstream, input: string): string | undefined {
  if (faults.length > 0) return `the upstream got ${JSON.stringify(faults)}`;
  const streams = new Set(requests.map(({ headers }) => headers.get('x-request-id')));
  if (streams.has(undefined)) return 'a request that is none of ours';
  if (streams.size !== requests.length) return 'a request twice';
  // Each begins with a block that is longer than this.
  return requests.length > input.length / 20 ? `${requests.length} requests` : undefined;
}
