import { RawClient } from './raw-client.ts';
import type { RawResponse } from './raw-client.ts';

/** What one connection of the load has seen. */
export interface LoadReport {
  readonly answers: number;
  /** Statuses other than 200. */
  readonly refused: readonly number[];
  /** A request that got no whole answer, undefined when there was none. */
  readonly lost: string | undefined;
  /** The server said that it would close, in an answer. */
  readonly closed: boolean;
}

/** Keep-alive connections that each ask again as soon as they are answered. */
export class Load {
  readonly #connections: readonly LoadConnection[];

  private constructor(connections: readonly LoadConnection[]) {
    this.#connections = connections;
  }

  /** Starts once every connection has its first answer, so that each has been accepted. */
  static async start(
    port: number,
    connections: number,
    head = 'GET / HTTP/1.1\r\nHost: a.example',
  ): Promise<Load> {
    const started = await Promise.all(
      Array.from({ length: connections }, () => LoadConnection.open(port, `${head}\r\n\r\n`)),
    );
    for (const connection of started) connection.run();
    return new Load(started);
  }

  get answers(): number {
    return this.#connections.reduce((sum, { report }) => sum + report.answers, 0);
  }

  get reports(): readonly LoadReport[] {
    return this.#connections.map(({ report }) => report);
  }

  /** Resolves when this many further answers have come, or no connection is left. */
  async more(answers: number): Promise<void> {
    const wanted = this.answers + answers;
    // oxlint-disable-next-line no-await-in-loop -- waits for a state
    while (this.answers < wanted && this.#connections.some(({ running }) => running)) await turn();
  }

  /** Resolves when the other side has ended every connection. */
  async ended(): Promise<readonly LoadReport[]> {
    await Promise.all(this.#connections.map(({ done }) => done));
    return this.reports;
  }

  /** Stops asking; what was asked is still answered. */
  async stop(): Promise<readonly LoadReport[]> {
    for (const connection of this.#connections) connection.stop();
    return this.ended();
  }
}

class LoadConnection {
  readonly report = {
    answers: 0,
    refused: [] as number[],
    lost: undefined as string | undefined,
    closed: false,
  };
  done: Promise<void> = Promise.resolve();
  running = false;
  readonly #client: RawClient;
  readonly #request: string;
  #stopping = false;

  private constructor(client: RawClient, request: string) {
    this.#client = client;
    this.#request = request;
  }

  static async open(port: number, request: string): Promise<LoadConnection> {
    const connection = new LoadConnection(await RawClient.connect(port), request);
    await connection.#ask();
    return connection;
  }

  run(): void {
    this.running = true;
    this.done = this.#run();
  }

  stop(): void {
    this.#stopping = true;
  }

  async #run(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one request after the other
    while (!this.#stopping && !this.report.closed && this.report.lost === undefined) await this.#ask();
    this.#client.close();
    this.running = false;
  }

  async #ask(): Promise<void> {
    this.#client.send(this.#request);
    try {
      this.#note(await this.#client.response());
    } catch (error) {
      this.report.lost = (error as Error).message;
    }
  }

  #note({ status, headers }: RawResponse): void {
    this.report.answers++;
    if (status !== 200) this.report.refused.push(status);
    if (headers.get('connection') === 'close') this.report.closed = true;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
