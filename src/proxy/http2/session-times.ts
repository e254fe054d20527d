import type { DeadlineSweeper, Expiring } from '../../util/deadline-sweeper.ts';

/** What a connection is given time for, in the order in which it is judged. */
export const Time = { close: 0, acknowledge: 1, head: 2, idle: 3, leave: 4, life: 5 } as const;

export type Time = (typeof Time)[keyof typeof Time];

/** The deadlines of one connection, of which the sweeper sees the first. */
export class SessionTimes implements Expiring {
  deadline = 0;
  sweepIndex = -1;
  readonly #sweeper: DeadlineSweeper;
  readonly #onTime: (time: Time, now: number) => void;
  /** On the sweeper's clock, 0 for none. `deadline` is never later than the first of them; it may be earlier. */
  readonly #moments = [0, 0, 0, 0, 0, 0];

  constructor(sweeper: DeadlineSweeper, onTime: (time: Time, now: number) => void) {
    this.#sweeper = sweeper;
    this.#onTime = onTime;
    sweeper.add(this);
  }

  isSet(time: Time): boolean {
    return this.#moments[time] !== 0;
  }

  /** 0 ms is no limit. */
  set(time: Time, ms: number): void {
    const moment = this.#sweeper.after(ms);
    this.#moments[time] = moment;
    if (moment !== 0 && (this.deadline === 0 || moment < this.deadline)) this.deadline = moment;
  }

  clear(time: Time): void {
    this.#moments[time] = 0;
  }

  /** The connection is gone. */
  stop(): void {
    this.#moments.fill(0);
    this.deadline = 0;
    this.#sweeper.remove(this);
  }

  onDeadline(now: number): void {
    for (const time of Object.values(Time)) {
      const moment = this.#moments[time] as number;
      if (moment === 0 || moment > now) continue;
      this.#moments[time] = 0;
      this.#onTime(time, now);
    }
    this.deadline = 0;
    for (const moment of this.#moments) {
      if (moment !== 0 && (this.deadline === 0 || moment < this.deadline)) this.deadline = moment;
    }
  }
}
