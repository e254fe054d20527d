// Opens keep-alive connections, has one request answered on each, and holds them: `node idle-client.ts PORT COUNT HOST`.
// Prints `held N` once all that can be opened are, and ends with its standard input.
import { connect } from 'node:net';

const [port, count, host] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] ?? ''];
const request = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
/** Connections being opened at one time. */
const PARALLEL = 200;
const ANSWER_LIMIT_MS = 5000;

async function open(): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  return new Promise((resolve) => {
    // A proxy at its limit of connections lets the rest wait.
    setTimeout(resolve, ANSWER_LIMIT_MS, false).unref();
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.write(request));
    socket.once('data', () => {
      socket.resume();
      resolve(true);
    });
  });
}

let held = 0;
for (let opened = 0; opened < count; opened += PARALLEL) {
  const batch = Array.from({ length: Math.min(PARALLEL, count - opened) }, open);
  held += (await Promise.all(batch)).filter(Boolean).length;
}
process.stdout.write(`held ${held}\n`);
process.stdin.resume().once('end', () => process.exit());
