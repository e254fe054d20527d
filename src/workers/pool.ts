import type { EndpointBoard } from '../balance/endpoint-board.ts';
import type { TlsSettings } from '../proxy/tls/tls-settings.ts';
import type { ProxySettings } from '../proxy/proxy-settings.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RowAllocator } from '../telemetry/row-allocator.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { PublishOutcome } from './acknowledgements.ts';
import type { ListeningSockets } from './listening-sockets.ts';
import type { FromWorker, NamedSocket } from './messages.ts';
import { Publisher } from './publisher.ts';
import type { Recipient } from './publisher.ts';
import { heartCheckEveryMs } from './heart.ts';
import type { Silence } from './heart.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { WorkerHandle } from './worker-handle.ts';

// The data plane's threads as main sees them. In: tables to publish, a drain, a stop. Out: acknowledged generations,
// log lines, and workers that are replaced when they throw, stall or run out of heap.
// A worker gets the whole table first and its listening socket once that table is live, so it never serves without one.
// Imports proxy only for its types: the request path runs in the worker.

export interface PoolOptions {
  readonly workers: number;
  readonly settings: ProxySettings;
  readonly sockets: ListeningSockets;
  /** Left out where no TLS is spoken. */
  readonly https?: { readonly sockets: ListeningSockets; readonly tls: TlsSettings };
  readonly heapBytes: number;
  /** Client connections that each worker holds at a time; beyond, new ones are closed. 0 (the default) means no limit. */
  readonly maxConnections?: number;
  readonly board: { readonly memory: SharedArrayBuffer; readonly view: EndpointBoard };
  readonly rows: RowAllocator;
  /** One per worker; a replacement takes over its predecessor's. */
  readonly counters: readonly SharedArrayBuffer[];
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'linked' | 'linkFailed' | 'workerRestarted'>;
  /** Takes whole access-log lines. Must not wait. */
  writeLines(text: string): void;
  /** The script of a worker; another one in tests. */
  readonly entry?: URL;
  /**
   * A started worker that is silent for this long, and not for want of a processor, is replaced. Default 1 s, 3 s in the
   * first ten seconds of its life.
   */
  readonly silenceLimitMs?: number;
}

/** One place in the pool; the thread in it changes. */
interface Seat extends Recipient {
  readonly worker: number;
  readonly backoff: RestartBackoff;
  handle: WorkerHandle | undefined;
  /** Generation that this thread serves, 0 while it serves none. */
  live: number;
  listening: boolean;
  restarts: number;
  /** How often this thread could not link the newest generation, and why. */
  refusals: number;
  refusal: string;
  drained: (() => void) | undefined;
}

export interface WorkerStatus {
  readonly worker: number;
  readonly listening: boolean;
  readonly generation: number;
  readonly restarts: number;
}

const stopLimitMs = 2000;
/** A delta that cannot be linked is followed by the whole table, which may do what the delta did not. */
const linkAttempts = 2;
/** A machine that is short of processors stays so for a while. */
const tellStarvedEveryMs = 60_000;

interface Ending {
  readonly error: Error | undefined;
  readonly silence: Silence | undefined;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #seats: readonly Seat[];
  readonly #publisher: Publisher;
  readonly #acknowledgements: Acknowledgements;
  #heartChecks: NodeJS.Timeout | undefined;
  #restartTimers = new Set<NodeJS.Timeout>();
  #drainWindowMs: number | undefined;
  #tls: TlsSettings | undefined;
  #starvedToldAtMs = Number.NEGATIVE_INFINITY;
  #stopping = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#tls = options.https?.tls;
    this.#publisher = new Publisher(options.board.view, options.rows);
    this.#seats = Array.from({ length: options.workers }, (_, worker) => ({
      worker,
      backoff: new RestartBackoff(),
      handle: undefined,
      live: 0,
      listening: false,
      restarts: 0,
      refusals: 0,
      refusal: '',
      sent: 0,
      sentWhole: false,
      segments: 0,
      drained: undefined,
    }));
    this.#acknowledgements = new Acknowledgements((generation) => this.#publisher.settled(generation));
  }

  start(): void {
    for (const seat of this.#seats) this.#fill(seat);
    this.#heartChecks = setInterval(() => {
      for (const seat of this.#seats) {
        const busy = seat.live === 0 || (seat.sentWhole && seat.live < seat.sent);
        seat.handle?.checkHeart(busy, this.#options.silenceLimitMs);
      }
    }, heartCheckEveryMs);
  }

  get status(): readonly WorkerStatus[] {
    return this.#seats.map(({ worker, listening, live, restarts }) => ({
      worker,
      listening,
      generation: live,
      restarts,
    }));
  }

  /** Requests in flight to `address:port` from all workers; undefined when they are not counted. */
  inFlight(endpoint: string): number | undefined {
    const slot = this.#publisher.slotOf(endpoint);
    return slot === undefined || slot < 0 ? undefined : this.#options.board.view.inFlight(slot);
  }

  /**
   * Sends a table to every worker: `delta` to those that have its base, the whole to the others. Resolves when it, or a
   * later one, is live in every worker, or when no worker could link it. A worker that cannot link what another serves
   * is replaced.
   */
  publish(table: RouteTable, delta: TableDelta): Promise<PublishOutcome> {
    const outcome = this.#acknowledgements.expect(table.generation);
    this.#publisher.advance(table, delta);
    for (const seat of this.#seats) {
      seat.refusals = 0;
      this.#send(seat);
    }
    return outcome;
  }

  /** Secrets of session tickets for every worker, now and later, the newest first. */
  useTicketSecrets(secrets: readonly Uint8Array[]): void {
    if (this.#tls === undefined) return;
    this.#tls = { ...this.#tls, ticketSecrets: secrets };
    for (const seat of this.#seats) seat.handle?.post({ type: 'ticket-secrets', secrets });
  }

  /** Stops accepting and finishes what runs, tunnels ended over `tunnelWindowMs`. Resolves when nothing is left. */
  async drain(tunnelWindowMs: number): Promise<void> {
    this.#drainWindowMs = tunnelWindowMs;
    await Promise.all(
      this.#seats.map(
        (seat) =>
          new Promise<void>((resolve) => {
            seat.drained = resolve;
            if (seat.handle === undefined) resolve();
            else seat.handle.post({ type: 'drain', tunnelWindowMs });
          }),
      ),
    );
  }

  /** Ends every worker, with whatever still runs in it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#heartChecks);
    for (const timer of this.#restartTimers) clearTimeout(timer);
    await Promise.all(this.#seats.map(async (seat) => seat.handle?.stop(stopLimitMs)));
  }

  #fill(seat: Seat): void {
    const { settings, board, counters, entry, heapBytes, maxConnections } = this.#options;
    seat.live = 0;
    seat.sent = 0;
    seat.sentWhole = false;
    seat.segments = 0;
    seat.refusals = 0;
    seat.listening = false;
    seat.handle = new WorkerHandle({
      entry: entry ?? new URL('./worker-entry.ts', import.meta.url),
      heapBytes,
      start: {
        worker: seat.worker,
        settings,
        maxConnections: maxConnections ?? 0,
        ...(this.#tls === undefined ? {} : { tls: this.#tls }),
        board: board.memory,
        counters: counters[seat.worker] as SharedArrayBuffer,
      },
      now: () => performance.now(),
      message: (message) => this.#receive(seat, message),
      starved: (silence) => this.#starved(seat, silence),
      ended: (reason, error, silence) => this.#ended(seat, reason, { error, silence }),
    });
    this.#send(seat);
  }

  #send(seat: Seat): void {
    const publication = this.#publisher.next(seat.worker, seat);
    if (publication !== undefined) seat.handle?.post({ type: 'publish', publication });
  }

  #receive(seat: Seat, message: FromWorker): void {
    const { log } = this.#options;
    switch (message.type) {
      case 'live':
        return this.#live(seat, message);
      case 'resync':
        return this.#resync(seat, message);
      case 'link-failed':
        return this.#refused(seat, message.generation, message.message);
      case 'listening':
        seat.listening = true;
        return this.#acknowledge();
      case 'listen-failed':
        return seat.handle?.kill(`could not listen: ${message.message}`);
      case 'log-lines':
        this.#options.writeLines(message.text);
        return seat.handle?.post({ type: 'log-credit', bytes: message.text.length });
      case 'warn':
        return log.warn(message.message, { worker: seat.worker, ...message.fields });
      case 'drained':
        return seat.drained?.();
      case 'started':
        return undefined;
    }
  }

  #live(seat: Seat, message: Extract<FromWorker, { type: 'live' }>): void {
    const first = seat.live === 0;
    seat.live = message.generation;
    this.#options.metrics.linked(message.linkMs);
    this.#acknowledgements.measured(message);
    if (first && this.#drainWindowMs === undefined) this.#listen(seat);
    this.#acknowledge();
    this.#judge();
  }

  #listen(seat: Seat): void {
    const { sockets: http, https } = this.#options;
    try {
      const sockets: NamedSocket[] = [{ name: 'http', socket: http.open() }];
      if (https !== undefined) sockets.push({ name: 'https', socket: https.sockets.open() });
      // Node's types do not yet list BoundSocket among what can be transferred.
      seat.handle?.post({ type: 'listen', sockets }, sockets.map(({ socket }) => socket) as never[]);
    } catch (error) {
      seat.handle?.kill((error as Error).message);
    }
  }

  #resync(seat: Seat, { have, reason }: Extract<FromWorker, { type: 'resync' }>): void {
    if (!seat.sentWhole) {
      seat.sent = 0;
      return this.#send(seat);
    }
    // A late answer to an earlier delta: the whole table is on its way.
    if (reason === 'base') return;
    this.#refused(seat, seat.sent, `the whole table has another digest in the worker, which has ${have}`);
  }

  #refused(seat: Seat, generation: number, reason: string): void {
    this.#options.metrics.linkFailed();
    this.#options.log.error('table not linked', { worker: seat.worker, generation, reason });
    // A newer one is on its way.
    if (generation !== seat.sent) return;
    seat.refusal = reason;
    if (++seat.refusals >= linkAttempts) return this.#judge();
    seat.sent = 0;
    this.#send(seat);
  }

  /**
   * What to do about workers that cannot link the newest table. As long as nobody can, the table is at fault: the one
   * before stays in force everywhere. Once somebody serves it, the others are: they are replaced.
   */
  #judge(): void {
    const generation = this.#publisher.generation;
    const refusing = this.#seats.filter((seat) => seat.refusals >= linkAttempts);
    const [first] = refusing;
    if (first === undefined) return;
    if (this.#seats.some((seat) => seat.live === generation)) {
      const reason = `could not link generation ${generation}, which others serve`;
      for (const seat of refusing) seat.handle?.kill(reason);
      return;
    }
    if (this.#seats.some((seat) => seat.handle !== undefined && seat.refusals < linkAttempts)) return;
    this.#acknowledgements.failed(generation, first.refusal);
    for (const seat of refusing) if (seat.live === 0 && seat.sent === generation) this.#fallBack(seat);
  }

  #fallBack(seat: Seat): void {
    const publication = this.#publisher.fallback(seat.worker, seat);
    if (publication !== undefined) seat.handle?.post({ type: 'publish', publication });
  }

  #acknowledge(): void {
    const serving = this.#seats.map((seat) => (seat.listening ? seat.live : 0));
    this.#acknowledgements.reached(Math.min(...serving));
  }

  #starved(seat: Seat, silence: Silence): void {
    const nowMs = performance.now();
    if (nowMs - this.#starvedToldAtMs < tellStarvedEveryMs) return;
    this.#starvedToldAtMs = nowMs;
    const { log } = this.#options;
    log.warn('worker is silent for want of processor time', { worker: seat.worker, ...rounded(silence) });
  }

  #ended(seat: Seat, reason: string, { error, silence }: Ending): void {
    const ranMs = performance.now() - (seat.handle?.startedAtMs ?? 0);
    seat.handle = undefined;
    seat.live = 0;
    seat.refusals = 0;
    seat.listening = false;
    // Nobody will end the requests that it had in flight.
    this.#options.board.view.clearWriter(seat.worker);
    seat.drained?.();
    if (this.#stopping || this.#drainWindowMs !== undefined) return;
    const pauseMs = seat.backoff.next(ranMs);
    seat.restarts++;
    this.#options.metrics.workerRestarted();
    this.#options.log.error('worker replaced', {
      worker: seat.worker,
      reason,
      pauseMs,
      ...(silence === undefined ? {} : rounded(silence)),
      ...(error === undefined ? {} : { err: error }),
    });
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      this.#fill(seat);
    }, pauseMs);
    this.#restartTimers.add(timer);
  }
}

/** For the log: what the worker did while it was silent tells a loop from a lock. */
function rounded({ silentMs, ranMs, waitedMs }: Silence): Readonly<Record<string, number>> {
  return { silentMs: Math.round(silentMs), ranMs: Math.round(ranMs), waitedMs: Math.round(waitedMs) };
}
