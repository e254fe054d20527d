import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/**
 * A shell between us and the program. It reads a pipe of which we hold the other end: when we close it, or end in
 * whatever way, SIGKILL included, it kills the program. So a crashed test leaves nothing behind. When the program ends
 * first, what reads the pipe is ended with it: the number of the program may be another's by then.
 */
const guard = `
exec 3<&0
"$@" 3<&- 4>&- </dev/null &
program=$!
echo "$program" >&4
exec 4>&-
{ cat <&3; kill -s KILL "$program"; } >/dev/null 2>&1 &
watcher=$!
wait "$program"
kill "$watcher"
`;

/** A program that ends with this process at the latest. Its output goes to a file. */
export class OwnedProcess {
  readonly logFile: string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #shell: ChildProcess;
  readonly #pid: Promise<number>;
  #running = true;

  constructor(file: string, args: readonly string[], logFile: string) {
    this.logFile = logFile;
    const log = openSync(logFile, 'a');
    // In a session of its own: whoever ends the test runner's whole process group leaves the guard to do its work.
    this.#shell = spawn('sh', ['-c', guard, 'sh', file, ...args], {
      stdio: ['pipe', log, log, 'ignore', 'pipe'],
      detached: true,
    });
    closeSync(log);
    const pids = this.#shell.stdio[4] as NodeJS.ReadableStream & { unref?: () => void };
    this.#pid = new Promise((resolve) => {
      pids.once('data', (chunk: Buffer) => resolve(Number.parseInt(chunk.toString(), 10)));
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#running = false;
        this.#shell.stdin?.destroy();
        resolve();
      };
      this.#shell.once('error', end);
      this.#shell.once('exit', end);
    });
    // A test that forgets to stop it does not keep its runner from ending; the guard then cleans up.
    this.#shell.unref();
    for (const stream of [this.#shell.stdin, pids]) (stream as { unref?: () => void } | null)?.unref?.();
  }

  get running(): boolean {
    return this.#running;
  }

  /** Sends a signal to the program itself: SIGSTOP makes it silent, SIGCONT lets it go on. */
  async signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    if (this.#running) process.kill(await this.#pid, name);
  }

  /** Kills the program, as a crash would, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#shell.ref();
    this.#shell.stdin?.destroy();
    await this.ended;
  }

  /** The last lines that it wrote. */
  tail(lines = 15): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}
