/** Something whose time can run out. The sweeper owns `sweepIndex`; start it at -1. */
export interface Expiring {
  /** Moment on the sweeper's clock (ms), 0 for none. Setting it costs a store, no timer. */
  deadline: number;
  sweepIndex: number;
  /** Called at the first sweep past `deadline`, which has been set back to 0. */
  onDeadline(now: number): void;
}

/**
 * Deadlines without a timer each: members are looked at every 100 ms. A deadline therefore fires up to two periods late.
 * The clock is monotonic milliseconds.
 */
export class DeadlineSweeper {
  readonly #members: Expiring[] = [];
  readonly #periodMs: number;
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;
  #sweptAt: number;
  #turnMs: number;

  constructor(periodMs = 100, clock: () => number = () => performance.now()) {
    this.#periodMs = periodMs;
    this.#clock = clock;
    this.#sweptAt = clock();
    this.#turnMs = this.#sweptAt;
  }

  /** Reads the clock for this turn of the event loop: called where bytes or events come in. */
  turn(): void {
    this.#turnMs = this.#clock();
  }

  /** Time of the latest turn: good for measuring, since within a turn next to no time passes. */
  get turnMs(): number {
    return this.#turnMs;
  }

  /** The deadline `ms` from now (0 for 0): up to two periods late, never early, and no clock is read for it. */
  after(ms: number): number {
    return ms === 0 ? 0 : this.#sweptAt + this.#periodMs + ms;
  }

  /** Time of the last sweep: good for comparing with deadlines. */
  get sweptAt(): number {
    return this.#sweptAt;
  }

  now(): number {
    return this.#clock();
  }

  get size(): number {
    return this.#members.length;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.sweep(), this.#periodMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  add(member: Expiring): void {
    if (member.sweepIndex >= 0) return;
    member.sweepIndex = this.#members.length;
    this.#members.push(member);
  }

  remove(member: Expiring): void {
    const index = member.sweepIndex;
    if (index < 0) return;
    member.sweepIndex = -1;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[index] = last;
    last.sweepIndex = index;
  }

  /** Looks at every member once. Backwards, because a member may remove itself (the last one takes its place). */
  sweep(): void {
    const now = this.#clock();
    this.#sweptAt = now;
    this.#turnMs = now;
    for (let index = this.#members.length - 1; index >= 0; index--) {
      const member = this.#members[index];
      if (member === undefined || member.deadline === 0 || member.deadline > now) continue;
      member.deadline = 0;
      member.onDeadline(now);
    }
  }
}
