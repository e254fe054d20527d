import { createServer } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { duplexPair } from 'node:stream';

import { frameText } from './http2-inputs.ts';

const PING = 6;
const MARK = 'the-end!';
/** Turns of the event loop until node has answered, and those in which it still tells of what it has read. */
const MOST_TURNS = 100;
const LAST_TURNS = 6;

/**
 * The requests that node:http2's server hears of in an input, by stream; undefined when it ends the connection, for a fault
 * or for what it takes for one (acknowledgements that it does not expect).
 */
export async function readWithNode(
  input: string,
): Promise<ReadonlyMap<number, IncomingHttpHeaders> | undefined> {
  const [theirs, ours] = duplexPair();
  const server = createServer({ settings: { enableConnectProtocol: true, initialWindowSize: 262_144 } });
  const requests = new Map<number, IncomingHttpHeaders>();
  let failed = false;
  server.on('sessionError', () => (failed = true));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    requests.set(stream.id ?? 0, headers);
  });
  server.emit('connection', theirs);
  let output = '';
  ours.on('error', () => {});
  ours.on('data', (bytes: Buffer) => (output += bytes.toString('latin1')));
  ours.write(Buffer.from(input + frameText(PING, 0, 0, MARK), 'latin1'));
  await turns(MOST_TURNS, () => failed || ours.readableEnded || output.includes(MARK));
  await turns(LAST_TURNS, () => false);
  theirs.destroy();
  ours.destroy();
  return failed || !output.includes(MARK) ? undefined : requests;
}

async function turns(atMost: number, isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < atMost && !isDone(); turn++)
    await new Promise((resolve) => setImmediate(resolve));
}
