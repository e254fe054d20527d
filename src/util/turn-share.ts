import { TurnQueue } from './turn-queue.ts';
import type { TurnMember } from './turn-queue.ts';

/** So little is not worth an entry in the queue. */
const FREE_UNITS = 8;

/** Of this thread. */
const turns = new TurnQueue();

/**
 * What one of many may have done for it in a turn of the event loop, in units of its own: whoever asks for more waits for
 * the next turn, so that the others get theirs. A socket may be read more than thirty times in one turn.
 */
export class TurnShare implements TurnMember {
  readonly #units: number;
  readonly #goOn: () => void;
  #left: number;
  #isQueued = false;
  #isMore = false;

  /** `goOn` is called in the next turn, after `spend` has said that there is more. */
  constructor(units: number, goOn: () => void) {
    this.#units = units;
    this.#goOn = goOn;
    this.#left = units;
  }

  /** Units for the rest of this turn. */
  get left(): number {
    return this.#left;
  }

  /** So many were used. `isMore`: none was left for what there is. */
  spend(units: number, isMore: boolean): void {
    if (!this.#isQueued) {
      if (units <= FREE_UNITS && !isMore) return;
      this.#isQueued = true;
      turns.add(this);
    }
    this.#left = Math.max(0, this.#left - units);
    this.#isMore = isMore;
  }

  onTurn(): boolean {
    this.#isQueued = false;
    this.#left = this.#units;
    const isMore = this.#isMore;
    this.#isMore = false;
    if (isMore) this.#goOn();
    return true;
  }
}
