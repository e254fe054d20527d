import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A port of 127.0.0.1 that is ours until it is released, also while nothing listens on it. */
export interface ReservedPort {
  readonly port: number;
  release(): Promise<void>;
}

/** Below the range that systems hand out to clients, so that no connection takes it while its server is stopped. */
const firstPort = 20_000;
const portCount = 6_000;
const attempts = 200;

/** Reserves a port against every other test process of this machine. */
export async function reservePort(random: () => number = Math.random): Promise<ReservedPort> {
  const folder = join(tmpdir(), 'sallyport-test-ports');
  await mkdir(folder, { recursive: true });
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = firstPort + Math.floor(random() * portCount);
    const file = join(folder, String(port));
    if (!(await claim(file))) continue;
    if (await isFree(port)) return { port, release: () => rm(file, { force: true }) };
    await rm(file, { force: true });
  }
  throw new Error(
    `reserve a port: ${attempts} of ${firstPort}–${firstPort + portCount - 1} are taken, want a free one`,
  );
}

/** Writes our pid into a file that did not exist. A file of a process that is gone is removed for the next attempt. */
async function claim(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (owner > 0 && !isAlive(owner)) await rm(file, { force: true });
    return false;
  }
}

/** Whether a process of this number runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
