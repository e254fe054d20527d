import { parentPort, workerData } from 'node:worker_threads';

import type { WorkerStart } from './messages.ts';
import { runWorker } from './run-worker.ts';

if (parentPort === null) throw new Error('Start this file as a worker thread');
runWorker(parentPort, workerData as WorkerStart);
