import type { ThreadShare } from './thread-times.ts';

/** What main saw of a silent worker, summed since its last beat. */
export interface Silence {
  /** Silence that the worker has to answer for. */
  readonly countedMs: number;
  /** All of it. */
  readonly silentMs: number;
  /** The same by looks: one that came late adds no more than the usual distance. */
  readonly lookedMs: number;
  /** Of it, as far as the system tells: time on a processor, and time in the queue for one. */
  readonly ranMs: number;
  readonly waitedMs: number;
}

export interface BeatLook {
  readonly beat: boolean;
  /** Since the look before. */
  readonly elapsedMs: number;
  /** Silence after which the worker counts as stalled. */
  readonly limitMs: number;
  /** What the thread did meanwhile; left out where the system does not tell. */
  readonly share?: ThreadShare | undefined;
}

/** `starved`: silent for as long as the limit, but for want of a processor. */
export type Verdict = 'beats' | 'silent' | 'starved' | 'stalled';

/**
 * Main looks at the heart this often. When it comes late itself, the machine has no time for it, and may have none for a
 * healthy worker either.
 */
export const heartCheckEveryMs = 250;
/** A starved worker gets so much longer. */
export const patienceMs = 10_000;
const late = 1.2;
const held = 2;

export const noSilence: Silence = { countedMs: 0, silentMs: 0, lookedMs: 0, ranMs: 0, waitedMs: 0 };

/**
 * Tells a worker that is stuck from one that gets no processor. A worker answers for the time in which it ran, and for
 * the time in which it slept although processors were to be had: not for its own wait in the run queue, and not for a
 * sleep while other threads of the process waited there, because one of them may be what it sleeps for (a helper of the
 * garbage collector, say). Where the system does not tell, silence counts at looks that were on time, and a look that came
 * much too late starts the count anew. Patience is bounded either way.
 */
export function judgeBeat(before: Silence, look: BeatLook): { silence: Silence; verdict: Verdict } {
  if (look.beat) return { silence: noSilence, verdict: 'beats' };
  const { elapsedMs, limitMs, share } = look;
  const silence: Silence = {
    countedMs: share === undefined ? unmeasured(before, elapsedMs) : before.countedMs + own(share, elapsedMs),
    silentMs: before.silentMs + elapsedMs,
    lookedMs: before.lookedMs + Math.min(elapsedMs, heartCheckEveryMs),
    ranMs: before.ranMs + (share?.ranMs ?? 0),
    waitedMs: before.waitedMs + (share?.waitedMs ?? 0),
  };
  return { silence, verdict: verdictOf(silence, limitMs) };
}

function verdictOf({ countedMs, lookedMs }: Silence, limitMs: number): Verdict {
  if (countedMs >= limitMs || lookedMs >= limitMs + patienceMs) return 'stalled';
  return lookedMs >= limitMs ? 'starved' : 'silent';
}

function own(share: ThreadShare, elapsedMs: number): number {
  // Main may have stood still with the whole process, or the machine slept: nobody can tell what a sleep was for.
  if (share.onDisk || elapsedMs >= late * heartCheckEveryMs) return share.ranMs;
  const sleptMs = elapsedMs - share.ranMs - share.waitedMs;
  return share.ranMs + Math.max(0, sleptMs - share.othersWaitedMs);
}

function unmeasured({ countedMs }: Silence, elapsedMs: number): number {
  if (elapsedMs > held * heartCheckEveryMs) return 0;
  return elapsedMs < late * heartCheckEveryMs ? countedMs + elapsedMs : countedMs;
}
