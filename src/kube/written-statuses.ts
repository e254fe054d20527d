import { hash } from 'node:crypto';

import type { KubeClock } from './kube-clock.ts';

interface Write {
  readonly uid: string;
  /** What was read of the object when it was written. */
  observed: unknown;
  /** What it is since. */
  status: unknown;
  digest: string;
  atMs: number;
  /** How often in a row the same was written over what somebody else made of it. */
  repeats: number;
  taken: boolean;
}

/** What came of one write. */
export interface NotedWrite {
  /** Of the object. */
  readonly uid: string;
  readonly observed: unknown;
  readonly status: unknown;
  readonly applied: unknown;
  /** It took our fields out of the object. */
  readonly taken: boolean;
}

const longestRestMs = 300_000;
/** A write that stood for so long was not contested. */
const peaceMs = 600_000;

/** What this process wrote, by object: the API server tells it back only some time after. */
export class WrittenStatuses {
  readonly #clock: Pick<KubeClock, 'now'>;
  readonly #writes = new Map<string, Write>();

  constructor(clock: Pick<KubeClock, 'now'>) {
    this.#clock = clock;
  }

  /** What the object's status is, by all that is known: `observed`, unless we wrote it since that was read. */
  current(id: string, observed: unknown): unknown {
    const write = this.#writes.get(id);
    return write !== undefined && write.observed === observed ? write.status : observed;
  }

  /** Whether something of ours may stand there. */
  has(id: string): boolean {
    return this.#writes.has(id);
  }

  isTakenBack(id: string): boolean {
    return this.#writes.get(id)?.taken === true;
  }

  note(id: string, { uid, observed, status, applied, taken }: NotedWrite): void {
    const digest = digestOf(applied);
    const nowMs = this.#clock.now();
    const before = this.#writes.get(id);
    const contested = before !== undefined && before.digest === digest && nowMs - before.atMs < peaceMs;
    const repeats = contested ? before.repeats + 1 : 0;
    this.#writes.set(id, { uid, observed, status, digest, atMs: nowMs, repeats, taken });
  }

  /** How long not to write this: it was written before, and somebody else undid it. */
  restMs(id: string, applied: unknown): number {
    const write = this.#writes.get(id);
    if (write === undefined || write.repeats === 0 || write.digest !== digestOf(applied)) return 0;
    return write.atMs + Math.min(longestRestMs, 1000 * 2 ** write.repeats) - this.#clock.now();
  }

  /** Forgets what was written to an object of that name that is another one. */
  forgetOther(id: string, uid: string): void {
    if (this.#writes.get(id)?.uid !== uid) this.#writes.delete(id);
  }

  forget(id: string): void {
    this.#writes.delete(id);
  }
}

/** Times aside: a condition that was undone gets a new one each time. */
function digestOf(applied: unknown): string {
  const text = JSON.stringify(applied, (name, value: unknown) =>
    name === 'lastTransitionTime' ? '' : value,
  );
  return hash('sha256', text, 'base64url').slice(0, 22);
}
