// Serves examples/quickstart: starts the echo upstreams that its EndpointSlices name, and Sallyport in front of them.
// Runs until Ctrl-C and ends everything that it started. Further arguments go to `sallyport run`.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { readDirectoryOnce } from '../src/directory/read-directory-once.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'examples/quickstart');

interface Echo {
  readonly service: string;
  readonly port: number;
}

/** What the EndpointSlices of the example say. */
async function readEchoes(): Promise<readonly Echo[]> {
  const { snapshot } = await readDirectoryOnce(folder);
  return [...snapshot.objects.EndpointSlice.values()].flatMap(({ service, ports }) =>
    ports.map(({ port }) => ({ service, port: port ?? 0 })),
  );
}

/** Answers with which service it is and what it received. Rejects when the port is taken. */
function startEcho({ service, port }: Echo): Promise<Server> {
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json');
    request.resume();
    request.on('end', () =>
      response.end(`${JSON.stringify({ service, method, url, headers }, undefined, 2)}\n`),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function startEchoes(): Promise<readonly Server[]> {
  const started = await Promise.allSettled((await readEchoes()).map(startEcho));
  const servers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed === undefined) return servers;
  stopEchoes(servers);
  throw failed.reason;
}

function stopEchoes(servers: readonly Server[]): void {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}

interface LogLine {
  readonly msg?: string;
  readonly port?: number;
  readonly httpsPort?: number;
  readonly adminPort?: number;
}

/** Prints what can be tried as soon as the first table is live. */
function announceWhenLive(): (line: string) => void {
  let started: LogLine | undefined;
  let announced = false;
  return (line) => {
    process.stdout.write(`${line}\n`);
    if (announced) return;
    const entry = parseLine(line);
    if (entry.msg === 'started') started = entry;
    if (entry.msg !== 'table live' || started === undefined) return;
    announced = true;
    process.stdout.write(banner(started));
  };
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return {};
  }
}

function banner({ port = 0, httpsPort, adminPort = 0 }: LogLine): string {
  const https =
    httpsPort === undefined
      ? 'none: its port is taken'
      : `https://127.0.0.1:${httpsPort}  HTTP/2 too; the certificate is self-signed`;
  const overTls = `    curl -ik --resolve shop.localhost:${httpsPort}:127.0.0.1 https://shop.localhost:${httpsPort}/cart\n`;
  return `
  Traffic   http://127.0.0.1:${port}
            ${https}
  Admin     http://127.0.0.1:${adminPort}  /readyz  /metrics  /debug/table

  Try:
    curl -H 'Host: shop.localhost' http://127.0.0.1:${port}/cart
    curl -H 'Host: shop.localhost' -H 'x-canary: always' http://127.0.0.1:${port}/
    curl -i -H 'Host: api.localhost' http://127.0.0.1:${port}/v1/items
${httpsPort === undefined ? '' : overTls}
  Ask why:
    bin/sallyport explain http://shop.localhost/cart --admin localhost:${adminPort}

  Edit a file in examples/quickstart and ask again: it is live when you save it. Ctrl-C ends.

`;
}

function startSallyport(args: readonly string[]): ChildProcess {
  return spawn(
    join(root, 'bin/sallyport'),
    ['run', '--manifests', folder, '--drain-delay', '0', ...args],
    // A process group of its own: otherwise Ctrl-C would reach it from the terminal and from here, and a second
    // signal means to stop at once.
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
}

async function main(): Promise<number> {
  let echoes: readonly Server[];
  try {
    echoes = await startEchoes();
  } catch (error) {
    process.stderr.write(`Start the echo upstreams of examples/quickstart: ${(error as Error).message}\n`);
    return 1;
  }
  const child = startSallyport(process.argv.slice(2));
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process
    .on('SIGINT', forward)
    .on('SIGTERM', forward)
    .on('SIGHUP', () => forward('SIGTERM'));
  process.once('exit', () => child.kill('SIGKILL'));
  if (child.stdout !== null) createInterface(child.stdout).on('line', announceWhenLive());
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`Start bin/sallyport: ${error.message}\n`);
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  stopEchoes(echoes);
  return code;
}

process.exitCode = await main();
