import type { HeaderList } from '../util/header-list.ts';
import { Budgets } from './budgets.ts';
import { FrameOutput } from './frame-output.ts';
import type { ErrorName } from './frames.ts';
import { GoingAway } from './going-away.ts';
import { HpackEncoder } from './hpack/hpack-encoder.ts';
import type { Http2Events, Http2Options } from './http2-events.ts';
import type { FieldSource, Http2Stream } from './http2-stream.ts';
import { noTally } from './http2-tally.ts';
import type { Http2Tally } from './http2-tally.ts';
import type { BudgetName, Http2Limits } from './limits.ts';
import { PeerSettings } from './peer-settings.ts';
import { ReceiveFlow } from './receive-flow.ts';
import { SendScheduler } from './send-scheduler.ts';
import { StreamLives } from './stream-lives.ts';
import { StreamTable } from './stream-table.ts';

/** What a stream that runs to its end gives back of the budget for resets. */
const RESETS_A_STREAM = 0.25;
const WINDOW_UPDATES_A_FRAME = 10;

/** What can be too much of one stream. */
const overflows = { output: 'output is not read', waiting: 'too many bytes wait' } as const;

/** The parts of one connection, and the ways in which streams and the connection fail. */
export class ConnectionCore {
  readonly options: Http2Options;
  readonly limits: Http2Limits;
  readonly events: Http2Events;
  readonly isServer: boolean;
  readonly tally: Http2Tally;
  readonly peer = new PeerSettings();
  readonly encoder = new HpackEncoder();
  readonly output: FrameOutput;
  readonly budgets: Budgets;
  readonly goingAway: GoingAway;
  readonly table: StreamTable;
  readonly flow: ReceiveFlow;
  readonly scheduler: SendScheduler;
  readonly lives: StreamLives;
  /** Nothing is read any more, and nothing is sent but what is in the output. */
  hasFailed = false;
  #isCounted = false;

  constructor(options: Http2Options, events: Http2Events) {
    const { limits, tally = noTally } = options;
    const isServer = options.role === 'server';
    this.options = options;
    this.limits = limits;
    this.events = events;
    this.isServer = isServer;
    this.tally = tally;
    const output = new FrameOutput(() => events.wake(), tally);
    const table = new StreamTable(isServer, tally);
    const flow = new ReceiveFlow(output, limits);
    const scheduler = new SendScheduler(output, this);
    this.output = output;
    this.table = table;
    this.flow = flow;
    this.scheduler = scheduler;
    this.budgets = new Budgets(limits.budgets, options.now());
    this.goingAway = new GoingAway(output);
    this.lives = new StreamLives({
      isServer,
      output,
      flow,
      scheduler,
      table,
      completed: () => this.budgets.earn('reset', RESETS_A_STREAM),
    });
  }

  begin(): void {
    this.#isCounted = true;
    this.tally.sessionOpened();
  }

  /** The transport is gone. */
  close(): void {
    this.hasFailed = true;
    this.lives.endAll('CANCEL');
    this.#uncount();
  }

  /** Of the scheduler: trailers are due. */
  trailers(stream: Http2Stream, headers: HeaderList): void {
    this.writeHeaders(stream, { pseudo: [], headers }, true);
  }

  /** Of the scheduler. */
  ended(stream: Http2Stream): void {
    this.lives.localEnd(stream);
  }

  /** Of the scheduler. */
  sent(): void {
    this.budgets.earn('ping', 1);
    this.budgets.earn('windowUpdate', WINDOW_UPDATES_A_FRAME);
  }

  writeHeaders(stream: Http2Stream, { pseudo, headers }: FieldSource, endStream: boolean): void {
    const { encoder } = this;
    encoder.begin();
    for (const [name, value] of pseudo) encoder.field(name, value);
    for (let index = 0; index < headers.length; index++) {
      encoder.field(headers.lower[index] as string, headers.values[index] as string);
    }
    this.output.headers(stream.id, encoder.bytes, encoder.length, endStream);
  }

  /** RFC 9113 §5.4.2. A peer that makes us do this again and again costs as much as one that resets by itself. */
  streamError(stream: Http2Stream, code: ErrorName, reason: string): void {
    this.lives.fault(stream, code);
    this.events.streamFault(code, reason);
    this.spend('reset');
  }

  /** More is held for the stream than may be: the peer does not read. */
  overflow(stream: Http2Stream, limit: keyof typeof overflows): void {
    const reason = overflows[limit];
    this.tally.limitReached(limit);
    this.lives.fault(stream, 'ENHANCE_YOUR_CALM');
    this.events.streamFault('ENHANCE_YOUR_CALM', reason);
  }

  /** A frame for a stream whose peer's side has ended (§5.1). `stream`: where our side has not. */
  closedStreamError(id: number, stream?: Http2Stream): void {
    if (stream !== undefined) return this.streamError(stream, 'STREAM_CLOSED', 'frame behind the end');
    const fate = this.table.fateOf(id);
    // It was sent before the peer knew; it is no fault, though nobody needs many of them.
    const isLate = fate === 'reset' || fate === 'old' || id > this.goingAway.lastAllowed;
    if (isLate) return void this.spend('glitch');
    return this.fail('STREAM_CLOSED', 'frame on a closed stream');
  }

  /** False: the connection has failed. */
  spend(budget: BudgetName): boolean {
    if (this.hasFailed) return false;
    if (this.budgets.spend(budget)) return true;
    this.tally.limitReached(budget);
    this.fail('ENHANCE_YOUR_CALM', `too much: ${budget}`);
    return false;
  }

  /** The peer asks for more and takes nothing. */
  failUnread(): void {
    if (this.hasFailed) return;
    this.tally.limitReached('output');
    this.fail('ENHANCE_YOUR_CALM', overflows.output);
  }

  /** §5.4.1. */
  fail(code: ErrorName, reason: string): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.goingAway.say(this.table.lastPeerId, code, reason);
    this.lives.endAll(code);
    this.#uncount();
    this.events.failed(code, reason);
  }

  #uncount(): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.tally.sessionClosed();
  }
}
