import { EndpointBoard } from '../../src/balance/endpoint-board.ts';
import { emptyTable } from '../../src/table/create-table.ts';
import { tableDelta } from '../../src/table/diff-tables.ts';
import type { RouteTable } from '../../src/table/route-table.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { RowAllocator } from '../../src/telemetry/row-allocator.ts';
import { CounterReader, createCounterMemory } from '../../src/telemetry/worker-counters.ts';
import type { PublishOutcome } from '../../src/workers/acknowledgements.ts';
import { ListeningSockets } from '../../src/workers/listening-sockets.ts';
import { WorkerPool } from '../../src/workers/pool.ts';
import { testSettings, testTable } from './data-plane-harness.ts';
import type { TestRoute } from './data-plane-harness.ts';

/** A pool of real worker threads on a free loopback port. */
export interface TestPool {
  readonly pool: WorkerPool;
  readonly port: number;
  readonly board: EndpointBoard;
  /** One per worker. */
  readonly counters: readonly CounterReader[];
  /** Parsed log lines, oldest first. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Resolves with the first line of that message, written from now on or before. */
  logged(message: string): Promise<Readonly<Record<string, unknown>>>;
  publish(routes: readonly TestRoute[]): Promise<PublishOutcome>;
  /** Resolves when the workers listen and serve these generations and the first has been replaced so often. */
  reaches(generations: readonly number[], first: { readonly restarts: number }): Promise<void>;
  stop(): Promise<void>;
}

export interface TestPoolOptions {
  readonly workers?: number;
  readonly entry?: URL;
  readonly heapBytes?: number;
  /** 30 s unless given: on a busy machine a healthy worker may not be heard for a second. */
  readonly silenceLimitMs?: number;
}

export function startPool(options: TestPoolOptions = {}): TestPool {
  const workers = options.workers ?? 2;
  const memory = EndpointBoard.allocate(64, workers);
  const board = new EndpointBoard(memory);
  const counters = Array.from({ length: workers }, createCounterMemory);
  const sockets = ListeningSockets.reserve('127.0.0.1', 0);
  const log: Record<string, unknown>[] = [];
  const waiting = new Map<string, (line: Readonly<Record<string, unknown>>) => void>();
  const pool = new WorkerPool({
    workers,
    // Load may ask as often as it likes.
    settings: { ...testSettings, clientKeepAliveRequests: 1_000_000_000 },
    sockets,
    heapBytes: options.heapBytes ?? 128 * 1024 ** 2,
    board: { memory, view: board },
    rows: new RowAllocator({ workers }),
    counters,
    log: createLog(
      {
        write: (text) => {
          const line = JSON.parse(text) as Record<string, unknown>;
          log.push(line);
          waiting.get(String(line['msg']))?.(line);
        },
      },
      'debug',
    ),
    metrics: { linked: () => undefined, linkFailed: () => undefined, workerRestarted: () => undefined },
    writeLines: () => undefined,
    silenceLimitMs: options.silenceLimitMs ?? 30_000,
    ...(options.entry === undefined ? {} : { entry: options.entry }),
  });
  pool.start();
  let table: RouteTable = emptyTable;
  return {
    pool,
    port: sockets.port,
    board,
    counters: counters.map((memory) => new CounterReader(memory)),
    log,
    logged: (message) => {
      const known = log.find((line) => line['msg'] === message);
      return known === undefined
        ? new Promise((resolve) => waiting.set(message, resolve))
        : Promise.resolve(known);
    },
    publish: (routes) => {
      const before = table;
      table = testTable(routes, before.generation + 1);
      return pool.publish(table, tableDelta(before, table));
    },
    reaches: async (generations, { restarts }) => {
      const there = (): boolean =>
        pool.status[0]?.restarts === restarts &&
        pool.status.every(({ listening, generation }, i) => listening && generation === generations[i]);
      // The pool tells nobody of a worker that is back in step: look again each turn.
      // oxlint-disable-next-line no-await-in-loop -- waits for a state
      while (!there()) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: () => pool.stop(),
  };
}
