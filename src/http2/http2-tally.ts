import type { BudgetName } from './limits.ts';

/** What a peer can go beyond: a budget, or `continuation`, `output` (it does not read), `waiting` (its windows stay closed). */
export type LimitName = BudgetName | 'continuation' | 'output' | 'waiting';

/** Who counts what happens on connections. Called often: it must not throw, nor call the connection. */
export interface Http2Tally {
  sessionOpened(): void;
  /** Once, when the connection has failed or its transport is gone. */
  sessionClosed(): void;
  streamOpened(): void;
  streamClosed(): void;
  /** `code` of these four: as it stands in the frame, any number of 32 bits. */
  goawaySent(code: number): void;
  goawayReceived(code: number): void;
  resetSent(code: number): void;
  resetReceived(code: number): void;
  /** The connection ends for it, or the stream that did it. */
  limitReached(limit: LimitName): void;
}

const nothing = (): void => {};

/** Counts nothing. */
export const noTally: Http2Tally = {
  sessionOpened: nothing,
  sessionClosed: nothing,
  streamOpened: nothing,
  streamClosed: nothing,
  goawaySent: nothing,
  goawayReceived: nothing,
  resetSent: nothing,
  resetReceived: nothing,
  limitReached: nothing,
};
