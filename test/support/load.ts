import { setTimeout as delay } from 'node:timers/promises';

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

export interface LoadOptions {
  /** Between an answer and the next request of a connection. Default 0. */
  readonly pauseMs?: number;
  /** Goes on with another connection when the server says that it closes one. Default false. */
  readonly reconnect?: boolean;
}

/** Whatever was not answered with 200. */
export function failuresIn(reports: readonly LoadReport[]): readonly (number | string)[] {
  return reports.flatMap(({ refused, lost }): (number | string)[] =>
    lost === undefined ? [...refused] : [...refused, lost],
  );
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
    options: LoadOptions = {},
  ): Promise<Load> {
    const started = await Promise.all(
      Array.from({ length: connections }, () => LoadConnection.open(port, `${head}\r\n\r\n`, options)),
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
    while (this.answers < wanted) {
      const running = this.#connections.filter((connection) => connection.running);
      if (running.length === 0) return;
      // oxlint-disable-next-line no-await-in-loop -- waits for a state
      await Promise.race(running.map((connection) => connection.news()));
    }
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
  #client: RawClient;
  readonly #port: number;
  readonly #request: string;
  readonly #options: LoadOptions;
  #news = Promise.withResolvers<void>();
  #stopping = false;

  private constructor(
    client: RawClient,
    { port, request, options }: { port: number; request: string; options: LoadOptions },
  ) {
    this.#client = client;
    this.#port = port;
    this.#request = request;
    this.#options = options;
  }

  static async open(port: number, request: string, options: LoadOptions): Promise<LoadConnection> {
    const client = await RawClient.connect(port);
    const connection = new LoadConnection(client, { port, request, options });
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

  /** Resolves at the next answer, or when the last one has come. */
  news(): Promise<void> {
    return this.#news.promise;
  }

  async #run(): Promise<void> {
    const { pauseMs = 0 } = this.#options;
    /* oxlint-disable no-await-in-loop -- one request after the other */
    while (this.#goesOn()) {
      if (pauseMs > 0) await delay(pauseMs);
      await this.#ask();
    }
    /* oxlint-enable no-await-in-loop */
    this.#client.close();
    this.running = false;
    this.#tell();
  }

  #goesOn(): boolean {
    const { closed, lost } = this.report;
    return !this.#stopping && lost === undefined && (!closed || this.#options.reconnect === true);
  }

  async #ask(): Promise<void> {
    try {
      if (this.report.closed) await this.#reconnect();
      this.#client.send(this.#request);
      this.#note(await this.#client.response());
    } catch (error) {
      this.report.lost = (error as Error).message;
    }
    this.#tell();
  }

  async #reconnect(): Promise<void> {
    this.#client.close();
    this.#client = await RawClient.connect(this.#port);
    this.report.closed = false;
  }

  #note({ status, headers }: RawResponse): void {
    this.report.answers++;
    if (status !== 200) this.report.refused.push(status);
    if (headers.get('connection') === 'close') this.report.closed = true;
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
