// WebSocket streams that each send a message of 64 bytes every 200 ms and wait for it to come back:
// `node echo-client.ts PORT STREAMS HOST`. A line on standard input ends the counting so far and prints it as one line of
// JSON (steady-count.ts), where requests are messages that came back and closed are streams that are not open; the first
// line is answered once all streams have been opened, or refused. The end of standard input ends the process.
import { createInterface } from 'node:readline';

import { WebSocket } from 'ws';

import { percentile } from '../harness/load-run.ts';
import type { SteadyCount } from './steady-count.ts';

const [port, streams, host] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? ''];
const PERIOD_MS = 200;
/** Streams being opened at one time. */
const PARALLEL = 50;
const message = Buffer.alloc(64, 'x');

let latencies: number[] = [];
let failed = 0;
let open = 0;

function echo(socket: WebSocket): void {
  let sentAt = 0;
  const send = (): void => {
    if (sentAt > 0) failed++;
    sentAt = performance.now();
    socket.send(message);
  };
  socket.on('message', (data: Buffer) => {
    latencies.push(performance.now() - sentAt);
    if (!data.equals(message)) failed++;
    sentAt = 0;
  });
  // Spread over the period, as users are who know nothing of one another.
  const start = setTimeout(() => {
    send();
    timer = setInterval(send, PERIOD_MS);
  }, Math.random() * PERIOD_MS);
  let timer = start;
  socket.once('close', () => {
    clearTimeout(timer);
    open--;
  });
}

async function openOne(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    headers: { Host: host },
    perMessageDeflate: false,
  });
  socket.on('error', () => socket.terminate());
  await new Promise<void>((resolve) => {
    socket.once('open', () => {
      open++;
      echo(socket);
    });
    socket.once('open', resolve);
    socket.once('close', () => resolve());
  });
}

function count(): SteadyCount {
  const sorted = Float64Array.from(latencies).sort();
  const result = { requests: sorted.length, failed, closed: streams - open, announced: 0 };
  latencies = [];
  failed = 0;
  return { ...result, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}

const lines = createInterface({ input: process.stdin });
lines.once('close', () => process.exit());
for (let begun = 0; begun < streams; begun += PARALLEL)
  await Promise.all(Array.from({ length: Math.min(PARALLEL, streams - begun) }, openOne));
for await (const _ of lines) process.stdout.write(`${JSON.stringify(count())}\n`);
