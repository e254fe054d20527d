import type { MessagePort } from 'node:worker_threads';

import { EndpointBoard } from '../balance/endpoint-board.ts';
import { DataPlane } from '../proxy/data-plane.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import { MetricRows } from '../telemetry/metric-rows.ts';
import { startRuntimeSampler } from '../telemetry/runtime-sampler.ts';
import type { RuntimeSampler } from '../telemetry/runtime-sampler.ts';
import { WorkerCounters } from '../telemetry/worker-counters.ts';
import type { FromWorker, NamedSocket, Publication, ToWorker, WorkerStart } from './messages.ts';
import { ownThreadId } from './thread-times.ts';

const beatEveryMs = 100;

/**
 * The worker's side: a data plane that does what main's messages say. It catches nothing: an error that nobody expected
 * ends the thread, main reports it and starts another.
 */
export function runWorker(port: MessagePort, start: WorkerStart): void {
  const side = new WorkerSide(port, start);
  port.on('message', (message: ToWorker) => side.receive(message));
  port.postMessage({ type: 'started' } satisfies FromWorker);
}

class WorkerSide {
  readonly #port: MessagePort;
  readonly #rows = new MetricRows();
  readonly #accessLog: AccessLog | undefined;
  readonly #plane: DataPlane;
  readonly #sampler: RuntimeSampler;
  readonly #heart: NodeJS.Timeout;

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port;
    const counters = new WorkerCounters(start.counters);
    this.#accessLog = start.settings.accessLog
      ? new AccessLog({
          send: (text, dropped) => this.#post({ type: 'log-lines', text, dropped }),
          dropped: (lines) => counters.logLinesDropped(lines),
        })
      : undefined;
    this.#plane = new DataPlane({
      settings: start.settings,
      maxConnections: start.maxConnections,
      ...(start.tls === undefined ? {} : { tls: start.tls }),
      board: new EndpointBoard(start.board, start.worker),
      counters,
      rows: this.#rows,
      accessLog: this.#accessLog,
      warn: (message, fields) => this.#post({ type: 'warn', message, fields }),
    });
    this.#sampler = startRuntimeSampler(counters);
    const control = new Int32Array(start.control);
    Atomics.store(control, 1, ownThreadId());
    this.#heart = setInterval(() => Atomics.add(control, 0, 1), beatEveryMs);
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'publish':
        return void this.#publish(message.publication);
      case 'listen':
        return void this.#listen(message.sockets);
      case 'ticket-secrets':
        this.#plane.ticketSecrets = message.secrets;
        return undefined;
      case 'log-credit':
        return this.#accessLog?.credit(message.bytes);
      case 'drain':
        return void this.#drain(message.tunnelWindowMs);
      case 'stop':
        return void this.#stop();
    }
  }

  async #publish(publication: Publication): Promise<void> {
    for (const segment of publication.segments) this.#rows.addSegment(segment);
    this.#post(await publish(this.#plane, publication));
  }

  async #listen(sockets: readonly NamedSocket[]): Promise<void> {
    try {
      await Promise.all(sockets.map(({ name, socket }) => this.#plane.listen({ handle: socket }, name)));
      this.#post({ type: 'listening' });
    } catch (error) {
      this.#post({ type: 'listen-failed', message: (error as Error).message });
    }
  }

  async #drain(tunnelWindowMs: number): Promise<void> {
    await this.#plane.closeListeners();
    await this.#plane.drain(tunnelWindowMs);
    this.#accessLog?.flush();
    this.#post({ type: 'drained' });
  }

  /** Leaves nothing that would keep the thread alive. */
  async #stop(): Promise<void> {
    await this.#plane.stop();
    this.#sampler.stop();
    this.#accessLog?.flush();
    clearInterval(this.#heart);
    this.#port.close();
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}

async function publish(plane: DataPlane, publication: Publication): Promise<FromWorker> {
  const result = await plane.publish(publication);
  switch (result.kind) {
    case 'live': {
      const { linkMs, stallMs, closed } = result;
      return { type: 'live', generation: result.table.generation, linkMs, stallMs, closed };
    }
    case 'stale':
      return { type: 'live', generation: result.have, linkMs: 0, stallMs: 0, closed: [] };
    case 'resync':
      return { type: 'resync', have: result.have, reason: result.reason };
    case 'failed':
      return { type: 'link-failed', generation: result.generation, message: result.message };
  }
}
