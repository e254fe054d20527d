import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { findProgram } from '../support/cluster/assets.ts';

/** What came of a command. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Its output is not printed. */
  readonly quiet?: boolean;
  readonly timeoutMs?: number;
}

const root = join(import.meta.dirname, '../..');
const print = (text: string): void => void process.stdout.write(text);

/** Runs a program and prints both: the transcript is what a user would see who typed the same. Rejects unless it exits with 0. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, out, err } = await attempt(program, args, options);
  if (code !== 0)
    throw new Error(`${program} ${args[0] ?? ''} ended with ${code}: ${err.trim() || out.trim()}`);
  return out;
}

/** As `run`, but resolves whatever the exit code. */
export async function attempt(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (options.quiet !== true) print(`$ ${[name, ...args].map(quoted).join(' ')}\n`);
  const outcome = await execute(program, args, options);
  if (options.quiet !== true) {
    const text = `${outcome.out}${outcome.err}`.trimEnd();
    if (text !== '') print(`${text.replaceAll(/^/gm, '  ')}\n`);
  }
  return outcome;
}

function execute(
  program: string,
  args: readonly string[],
  { input, timeoutMs = 180_000 }: RunOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { cwd: root, timeout: timeoutMs, maxBuffer: 64 << 20 },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, out, err: err === '' && error !== null ? error.message : err });
      },
    );
    child.stdin?.end(input);
  });
}

function quoted(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word}'`;
}

export interface Tools {
  readonly kubectl: string;
  readonly helm: string;
}

/** kubectl and Helm: from the PATH, else what `make envtest` built. */
export async function findTools(): Promise<Tools> {
  return { kubectl: await find('kubectl', ['version', '--client']), helm: await find('helm', ['version']) };
}

async function find(program: 'kubectl' | 'helm', probe: readonly string[]): Promise<string> {
  const { code } = await execute(program, probe, {});
  if (code === 0) return program;
  const built = findProgram(program);
  if (built === undefined)
    throw new Error(`look for ${program}: it is not on the PATH, want it there or make envtest`);
  return built;
}

/** Asks again until the answer is as wanted. Rejects with the last answer when time is up. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  limitMs = 60_000,
): Promise<{ readonly answer: T; readonly ms: number }> {
  const began = performance.now();
  for (;;) {
    const answer = await ask();
    const ms = Math.round(performance.now() - began);
    if (isWanted(answer)) return { answer, ms };
    if (ms > limitMs)
      throw new Error(`wait until ${what}: not within ${limitMs} ms, last ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A line of the transcript. */
export function say(text: string): void {
  print(`  ${text}\n`);
}

/** Says what was found, and throws it unless it is as it should be. */
export function want(isSo: boolean, text: string): void {
  say(text);
  if (!isSo) throw new Error(text);
}
