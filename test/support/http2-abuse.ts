import { ping, reset, settings } from './http2-rig.ts';
import type { Fields } from './http2-rig.ts';
import { RawHttp2Client, headers } from './raw-http2-client.ts';
import type { RawHttp2Options, StreamAnswer } from './raw-http2-client.ts';

// Clients of HTTP/2 that cost a server more than they ask for, and an honest one to see what it suffers beside them.

/**
 * `reset`: requests that are taken back at once (CVE-2023-44487). `ping`, `settings`: each wants an answer. `stalled`: asks
 * for much and opens no window for it, then goes without a word.
 */
export const abuses = ['reset', 'ping', 'settings', 'stalled'] as const;
export type Abuse = (typeof abuses)[number];

/** A little more of each than the server's budget allows. */
const RESETS = 220;
const PINGS = 120;
const SETTINGS = 60;
const STALLED_STREAMS = 10;
const INITIAL_WINDOW = 4;

const fields = (path: string, scheme: string): Fields => [
  [':method', 'GET'],
  [':scheme', scheme],
  [':path', path],
  [':authority', 'a.example'],
];

const times = (count: number, make: (index: number) => readonly Buffer[]): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)).flat());

const resets = (scheme: string): Buffer =>
  times(RESETS, (index) => [...headers(2 * index + 1, fields('/', scheme)), reset(2 * index + 1)]);

/** Over plain connections, and over TLS. */
const floods: Readonly<Record<Exclude<Abuse, 'stalled'>, readonly [plain: Buffer, tls: Buffer]>> = {
  reset: [resets('http'), resets('https')],
  ping: both(times(PINGS, () => [ping()])),
  settings: both(times(SETTINGS, () => [settings()])),
};

function both(bytes: Buffer): readonly [plain: Buffer, tls: Buffer] {
  return [bytes, bytes];
}

const schemeOf = ({ tls }: RawHttp2Options): string => (tls === undefined ? 'http' : 'https');

/** One session. Resolves with what came of it: the code of the last GOAWAY, or `left` for one that went by itself. */
export async function abuse(port: number, kind: Abuse, options: RawHttp2Options = {}): Promise<string> {
  const isStalled = kind === 'stalled';
  const client = await RawHttp2Client.connect(port, {
    ...options,
    ...(isStalled ? { stalled: true, settings: [[INITIAL_WINDOW, 0]] } : {}),
  });
  if (!isStalled) {
    client.send(floods[kind][options.tls === undefined ? 0 : 1]);
    await client.untilClosed();
    client.close();
    return client.goaways.at(-1)?.code ?? 'closed without a word';
  }
  const ids = Array.from({ length: STALLED_STREAMS }, () => client.nextStream());
  client.send(...ids.flatMap((id) => headers(id, fields('/large', schemeOf(options)))));
  await client.until(() => client.isClosed || ids.every((id) => client.stream(id).status === 200));
  const { isClosed, goaways } = client;
  client.close();
  return isClosed ? (goaways.at(-1)?.code ?? 'closed without a word') : 'left';
}

/** One request after the other, on as few connections as the server allows, until it is told to stop or one fails. */
export class HonestClient {
  answers = 0;
  /** What was not as it should be, a line each. */
  readonly errors: string[] = [];
  readonly #port: number;
  readonly #options: RawHttp2Options;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(port: number, options: RawHttp2Options = {}) {
    this.#port = port;
    this.#options = options;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && this.errors.length === 0)
        await this.#ask(await RawHttp2Client.connect(this.#port, this.#options));
    } catch (error) {
      this.errors.push((error as Error).message);
    }
  }

  /** Until the server says that it takes no more here. */
  async #ask(client: RawHttp2Client): Promise<void> {
    for (let asked = 1; !this.#isStopped && client.goaways.length === 0; asked++) {
      const answer = await client.request(fields('/', schemeOf(this.#options)));
      if (isGood(answer)) {
        this.answers++;
        continue;
      }
      const { isClosed, goaways } = client;
      this.errors.push(JSON.stringify({ asked, total: this.answers, isClosed, goaways, ...answer }));
      break;
    }
    this.errors.push(...client.faults);
    client.close();
  }
}

function isGood({ status, body, isEnded, reset: code }: StreamAnswer): boolean {
  return status === 200 && body === 'served' && isEnded && code === undefined;
}
