import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

// What the kernel knows of the threads of this process: how long each ran, and how long it stood in the queue for a
// processor (proc(5): /proc/[pid]/task/[tid]/schedstat and stat). Time in which a cgroup is throttled is queue time too.
// Elsewhere than on Linux, and in sandboxes without these files, nothing is known.

/** What a thread did between two looks at it. */
export interface ThreadShare {
  /** On a processor. */
  readonly ranMs: number;
  /** Ready to run, and not run. */
  readonly waitedMs: number;
  /** The longest that another thread of the process waited in that way. */
  readonly othersWaitedMs: number;
  /** It sleeps for a disk: memory that was taken from it comes back, as a rule. */
  readonly onDisk: boolean;
}

/** One thread as the kernel has it: totals since its start, and the letter of its state. */
export interface ThreadTotals {
  readonly ranMs: number;
  readonly waitedMs: number;
  readonly state: string;
}

/** Reads totals by thread id; undefined when they cannot be had. */
export type ReadThreads = () => ReadonlyMap<number, ThreadTotals> | undefined;

const tasks = '/proc/self/task';

/** Id that the kernel knows this thread by; 0 where it cannot be had. To be called in the thread itself. */
export function ownThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

export function readThreads(): ReadonlyMap<number, ThreadTotals> | undefined {
  const threads = new Map<number, ThreadTotals>();
  try {
    for (const name of readdirSync(tasks)) {
      const totals = readThread(`${tasks}/${name}`);
      if (totals !== undefined) threads.set(Number(name), totals);
    }
  } catch {
    return undefined;
  }
  return threads;
}

function readThread(folder: string): ThreadTotals | undefined {
  try {
    const [ranNs, waitedNs] = readFileSync(`${folder}/schedstat`, 'latin1').split(' ');
    const stat = readFileSync(`${folder}/stat`, 'latin1');
    // The name before the state is in parentheses, and may hold some itself.
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    return { ranMs: Number(ranNs) / 1e6, waitedMs: Number(waitedNs) / 1e6, state };
  } catch {
    // It has ended since the folder was listed.
    return undefined;
  }
}

/** Watches one thread from look to look. */
export class ThreadTimes {
  readonly #read: ReadThreads;
  #before: ReadonlyMap<number, ThreadTotals> | undefined;

  constructor(read: ReadThreads = readThreads) {
    this.#read = read;
  }

  /** To be called when nothing is asked for the time being: the next look is a first one again. */
  forget(): void {
    this.#before = undefined;
  }

  /** What thread `id` did in the `elapsedMs` since the last look; undefined at the first one, and where nothing is known. */
  look(id: number, elapsedMs: number): ThreadShare | undefined {
    const before = this.#before;
    this.#before = id === 0 ? undefined : this.#read();
    const now = this.#before?.get(id);
    const then = before?.get(id);
    if (now === undefined || then === undefined) return undefined;
    let othersWaitedMs = 0;
    for (const [other, totals] of this.#before ?? []) {
      const earlier = before?.get(other);
      if (other === id || earlier === undefined) continue;
      othersWaitedMs = Math.max(othersWaitedMs, waited(earlier, totals, elapsedMs));
    }
    const ranMs = now.ranMs - then.ranMs;
    return { ranMs, waitedMs: waited(then, now, elapsedMs), othersWaitedMs, onDisk: now.state === 'D' };
  }
}

/** The kernel adds a wait when it ends. So of a thread that is ready to run, what it did not run it waited. */
function waited(then: ThreadTotals, now: ThreadTotals, elapsedMs: number): number {
  const notRunMs = Math.max(0, elapsedMs - (now.ranMs - then.ranMs));
  return now.state === 'R' ? notRunMs : Math.min(notRunMs, now.waitedMs - then.waitedMs);
}
