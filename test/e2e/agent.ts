// Runs in a pod of the cluster and makes requests for run.ts, which talks to it through the API server's proxy. It stands alone:
// it is mounted from a ConfigMap into the image of Sallyport, so it imports nothing but Node.
import { Agent, createServer, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Every request that was made, by what became of it. */
export interface LoadReport {
  readonly sent: number;
  readonly ok: number;
  /** Sent again because the kept connection closed as it was being used; a client may do so (RFC 9110 §9.2.2). */
  readonly repeated: number;
  readonly lost: readonly string[];
  readonly seconds: number;
}

interface Target {
  readonly url: string;
  readonly host: string;
}

class RequestError extends Error {
  /** The connection was kept from an earlier request and closed before an answer began. */
  readonly mayRepeat: boolean;

  constructor(cause: Error, mayRepeat: boolean) {
    super(cause.message, { cause });
    this.mayRepeat = mayRepeat;
  }
}

const limitMs = 10_000;

function get({ url, host }: Target, agent: Agent | false, extra: IncomingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, headers: { ...extra, host }, timeout: limitMs });
    call.once('timeout', () => call.destroy(new Error(`no answer within ${limitMs} ms`)));
    call.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new RequestError(error, call.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '')),
      ),
    );
    call.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', (error) => reject(new RequestError(error, false)));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    call.end();
  });
}

/** Clients that each ask again a moment after they were answered: half on kept connections, half on new ones. */
class Load {
  readonly #began = Date.now();
  readonly #running: Promise<void>[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #lost: string[] = [];
  #stopping = false;
  #sent = 0;
  #ok = 0;
  #repeated = 0;

  constructor(target: Target, clients: number, pauseMs: number) {
    this.#running = Array.from({ length: clients }, (_, index) =>
      this.#run(target, index % 2 === 0 ? this.#agent : false, pauseMs),
    );
  }

  async stop(): Promise<LoadReport> {
    this.#stopping = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
    return {
      sent: this.#sent,
      ok: this.#ok,
      repeated: this.#repeated,
      lost: this.#lost,
      seconds: (Date.now() - this.#began) / 1000,
    };
  }

  async #run(target: Target, agent: Agent | false, pauseMs: number): Promise<void> {
    while (!this.#stopping) {
      await this.#ask(target, agent);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #ask(target: Target, agent: Agent | false): Promise<void> {
    this.#sent++;
    const at = new Date().toISOString();
    try {
      const { status, body } = await this.#askTwice(target, agent);
      if (status === 200) this.#ok++;
      else this.#lost.push(`${at} status ${status}: ${body.slice(0, 200)}`);
    } catch (error) {
      this.#lost.push(`${at} ${(error as Error).message}`);
    }
  }

  async #askTwice(target: Target, agent: Agent | false): Promise<Answer> {
    try {
      return await get(target, agent);
    } catch (error) {
      if (!(error instanceof RequestError) || !error.mayRepeat) throw error;
      this.#repeated++;
      return get(target, false);
    }
  }
}

/** How many of `count` requests each Service answered; a body without a name of a Service counts by its status. */
async function sample(target: Target, count: number): Promise<Readonly<Record<string, number>>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answered = new Map<string, number>();
  const one = async (): Promise<void> => {
    const { status, body } = await get(target, agent);
    const name = /(?:"service":\s*"|^Name: )([^"\n]+)/m.exec(body)?.[1] ?? `status ${status}`;
    answered.set(name, (answered.get(name) ?? 0) + 1);
  };
  for (let left = count; left > 0; left -= 50)
    await Promise.all(Array.from({ length: Math.min(left, 50) }, one));
  agent.destroy();
  return Object.fromEntries(answered);
}

let load: Load | undefined;

function serve(path: string, query: URLSearchParams): Promise<unknown> {
  const target = { url: query.get('url') ?? '', host: query.get('host') ?? '' };
  const number = (name: string): number => Number(query.get(name));
  switch (path) {
    case '/get':
      return get(target, false, JSON.parse(query.get('headers') ?? '{}') as IncomingHttpHeaders);
    case '/sample':
      return sample(target, number('count'));
    case '/start':
      load = new Load(target, number('clients'), number('pauseMs'));
      return Promise.resolve({});
    case '/stop':
      return load?.stop() ?? Promise.reject(new Error('stop: nothing was started'));
    default:
      return Promise.resolve({ ready: true });
  }
}

if (import.meta.main) {
  const server = createServer((incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://agent');
    serve(pathname, searchParams).then(
      (result) => outgoing.end(JSON.stringify(result)),
      (error: unknown) => outgoing.writeHead(500).end(JSON.stringify({ error: (error as Error).message })),
    );
  });
  server.listen(9000);
  process.once('SIGTERM', () => process.exit(0));
}
