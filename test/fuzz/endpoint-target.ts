import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { PREFACE, flag, frameType } from '../../src/http2/frames.ts';
import { startProxy } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawUpstream, answer } from '../support/raw-upstream.ts';
import { FrameMaker, frameText } from './http2-inputs.ts';
import { mutate } from './messages.ts';
import type { Random } from './random.ts';
import type { FuzzTarget } from './targets.ts';

/** Requests that are asked at once: the streams that inputs speak of. */
const REQUESTS = 4;

/**
 * Endpoints of HTTP/2 that say anything and hang up: each request gets one answer that is well-formed, or is cut; nothing
 * runs on, and requests to an honest endpoint are served.
 */
export class EndpointTarget implements FuzzTarget {
  readonly name = 'http2-from-endpoints';
  readonly batch = 20;
  /** Requests that were answered with 200. */
  passed = 0;
  #input = Buffer.alloc(0);
  #server: Server | undefined;
  #honest: RawUpstream | undefined;
  #proxy: TestProxy | undefined;

  make(random: Random): string {
    const maker = new FrameMaker(random, false);
    // Good answers to some, so that there is something that the rest can spoil.
    const answers = [1, 3, 5, 7]
      .filter(() => random.chance(0.5))
      .map((stream) => {
        const body = frameText(frameType.data, random.chance(0.7) ? flag.endStream : 0, stream, 'hello');
        return frameText(frameType.headers, flag.endHeaders, stream, maker.block()) + body;
      });
    const text = maker.connection();
    const first = 9 + Buffer.from(text.slice(0, 3), 'latin1').readUIntBE(0, 3);
    const whole = text.slice(0, first) + answers.join('') + text.slice(first);
    return random.chance(0.3) ? mutate(random, whole) : whole;
  }

  async check(input: string): Promise<string | undefined> {
    const proxy = (this.#proxy ??= await this.#start());
    this.#input = Buffer.from(input, 'latin1');
    const asked = Array.from({ length: REQUESTS }, () => ask(proxy, 'wild.example'));
    const answers = await Promise.all(asked);
    const honest = await ask(proxy, 'honest.example');
    while (proxy.counters.read('requestsActive') > 0) await new Promise((resolve) => setImmediate(resolve));
    this.passed += answers.filter((text) => text.includes('HTTP/1.1 200 ')).length;
    const wrong = answers.find((text) => text !== '' && !isAnswer(text));
    if (wrong !== undefined) return `the client got ${JSON.stringify(wrong.slice(0, 500))}`;
    return honest.endsWith('\r\n\r\nok') ? undefined : `the next client got ${JSON.stringify(honest)}`;
  }

  async close(): Promise<void> {
    await this.#proxy?.stop();
    await this.#honest?.stop();
    this.#server?.close();
  }

  async #start(): Promise<TestProxy> {
    const server = createServer((socket) => this.#serve(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#honest = await RawUpstream.start(() => answer('ok'));
    const { port } = server.address() as AddressInfo;
    return await startProxy([
      {
        host: 'wild.example',
        upstream: [port],
        policy: { protocol: 'http2' },
        retry: { tries: 1 },
      },
      { host: 'honest.example', upstream: [this.#honest.port] },
    ]);
  }

  /** Says the first frame at once, because nobody asks before SETTINGS, the rest when somebody has asked; then hangs up. */
  #serve(socket: Socket): void {
    const input = this.#input;
    const first = input.length < 9 ? input.length : Math.min(input.length, 9 + input.readUIntBE(0, 3));
    let received = Buffer.alloc(0);
    let isSaid = false;
    const say = (): void => {
      if (!isSaid) socket.end(input.subarray(first));
      isSaid = true;
    };
    socket.on('error', () => undefined);
    socket.write(input.subarray(0, first));
    if (first === input.length) socket.end();
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (isSaid || headsIn(received) === 0) return;
      if (headsIn(received) >= REQUESTS) say();
      else setImmediate(() => setImmediate(say));
    });
  }
}

function headsIn(received: Buffer): number {
  let heads = 0;
  for (let at = PREFACE.length; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received[at + 3] === frameType.headers) heads++;
  }
  return heads;
}

/** Everything that comes for a GET, informational heads too. */
async function ask({ port }: TestProxy, host: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const received = await client.untilEnd();
  client.close();
  return received;
}

const head = /^HTTP\/1\.1 [1-5]\d\d [^\r\n]*\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\0\r\n]*\r\n)*\r\n/;

/** Whether it begins with a head, or several, each well-formed. */
function isAnswer(text: string): boolean {
  let rest = text;
  for (let match = head.exec(rest); match !== null; match = head.exec(rest)) {
    if (!match[0].startsWith('HTTP/1.1 1')) return true;
    rest = rest.slice(match[0].length);
  }
  // Cut behind the informational ones.
  return rest === '' && text !== '';
}
