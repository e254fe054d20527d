import { parentPort, workerData, BroadcastChannel } from 'node:worker_threads';

import { Linker } from '../../src/proxy/linker.ts';
import type { FromWorker, WorkerStart } from '../../src/workers/messages.ts';
import { runWorker } from '../../src/workers/run-worker.ts';

/** What a test tells the workers to do. */
export interface Fault {
  readonly worker: number;
  /** `refuse`: from now on this thread links nothing. */
  readonly kind: 'throw' | 'reject' | 'stall' | 'block' | 'heap' | 'exit' | 'refuse';
}

/** A route of this host cannot be linked by any worker. */
const poisonHost = 'poison.example';

// A worker as it is, which besides fails when the channel of its test, or a table, says so.
let refusing = false;
const start = workerData as WorkerStart;
if (parentPort === null) throw new Error('Start this file as a worker thread');
poisonLinker();
runWorker(parentPort, start);

const channel = new BroadcastChannel('faults');
channel.unref();
channel.onmessage = (event: unknown): void => {
  const fault = (event as { readonly data: Fault }).data;
  if (fault.worker === start.worker) setImmediate(fail, fault.kind);
};

function poisonLinker(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const link = Linker.prototype.link;
  Linker.prototype.link = async function poisoned(input) {
    const poison = input.delta.routes.set.some(({ hosts }) => hosts.includes(poisonHost));
    if (poison || refusing) throw new Error('injected');
    return link.call(this, input);
  };
}

function fail(kind: Fault['kind']): void {
  switch (kind) {
    case 'throw':
      throw new Error('injected');
    case 'reject':
      void Promise.reject(new Error('injected'));
      return;
    case 'stall':
      for (;;);
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case 'heap': {
      const hoard: unknown[] = [];
      for (;;) hoard.push(Array.from({ length: 1000 }, () => ({ waste: 1 })));
    }
    case 'refuse':
      refusing = true;
      parentPort?.postMessage({ type: 'warn', message: 'refusing', fields: {} } satisfies FromWorker);
      return;
    case 'exit':
      process.exit(3);
  }
}
