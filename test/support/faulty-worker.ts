import { parentPort, workerData, BroadcastChannel } from 'node:worker_threads';

import type { WorkerStart } from '../../src/workers/messages.ts';
import { runWorker } from '../../src/workers/run-worker.ts';

/** What a test tells the workers to do. */
export interface Fault {
  readonly worker: number;
  readonly kind: 'throw' | 'reject' | 'stall' | 'heap' | 'exit';
}

// A worker as it is, which besides fails when the channel of its test says so.
const start = workerData as WorkerStart;
if (parentPort === null) throw new Error('Start this file as a worker thread');
runWorker(parentPort, start);

const channel = new BroadcastChannel('faults');
channel.unref();
channel.onmessage = (event: unknown): void => {
  const fault = (event as { readonly data: Fault }).data;
  if (fault.worker === start.worker) setImmediate(fail, fault.kind);
};

function fail(kind: Fault['kind']): void {
  switch (kind) {
    case 'throw':
      throw new Error('injected');
    case 'reject':
      void Promise.reject(new Error('injected'));
      return;
    case 'stall':
      for (;;);
    case 'heap': {
      const hoard: unknown[] = [];
      for (;;) hoard.push(Array.from({ length: 1000 }, () => ({ waste: 1 })));
    }
    case 'exit':
      process.exit(3);
  }
}
