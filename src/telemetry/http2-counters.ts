import { counterCells, familyStarts } from './counter-layout.ts';
import { codePlace, codesStart, http2Limits, http2Sides } from './protocol-cells.ts';
import type { Http2Limit, Http2Side } from './protocol-cells.ts';

const sessionCells = {
  client: {
    sessions: counterCells.http2ClientSessions,
    sessionsTotal: counterCells.http2ClientSessionsTotal,
    streams: counterCells.http2ClientStreams,
    streamsTotal: counterCells.http2ClientStreamsTotal,
  },
  upstream: {
    sessions: counterCells.http2UpstreamSessions,
    sessionsTotal: counterCells.http2UpstreamSessionsTotal,
    streams: counterCells.http2UpstreamStreams,
    streamsTotal: counterCells.http2UpstreamStreamsTotal,
  },
} as const;

/** What one worker counts of its HTTP/2 connections on one side: the tally that the codec asks for. */
export class Http2Counters {
  readonly #cells: Float64Array;
  readonly #session: (typeof sessionCells)[Http2Side];
  readonly #goawaysSent: number;
  readonly #goawaysReceived: number;
  readonly #resetsSent: number;
  readonly #resetsReceived: number;
  readonly #limits: number;

  /** `cells`: those of the worker's counters. */
  constructor(cells: Float64Array, side: Http2Side) {
    this.#cells = cells;
    this.#session = sessionCells[side];
    this.#goawaysSent = familyStarts.goaways + codesStart(side, 'sent');
    this.#goawaysReceived = familyStarts.goaways + codesStart(side, 'received');
    this.#resetsSent = familyStarts.resets + codesStart(side, 'sent');
    this.#resetsReceived = familyStarts.resets + codesStart(side, 'received');
    this.#limits = familyStarts.limits + http2Sides.indexOf(side) * http2Limits.length;
  }

  sessionOpened(): void {
    this.#add(this.#session.sessions, 1);
    this.#add(this.#session.sessionsTotal, 1);
  }

  sessionClosed(): void {
    this.#add(this.#session.sessions, -1);
  }

  streamOpened(): void {
    this.#add(this.#session.streams, 1);
    this.#add(this.#session.streamsTotal, 1);
  }

  streamClosed(): void {
    this.#add(this.#session.streams, -1);
  }

  /** `code` of these four: as it stands in the frame. */
  goawaySent(code: number): void {
    this.#add(this.#goawaysSent + codePlace(code), 1);
  }

  goawayReceived(code: number): void {
    this.#add(this.#goawaysReceived + codePlace(code), 1);
  }

  resetSent(code: number): void {
    this.#add(this.#resetsSent + codePlace(code), 1);
  }

  resetReceived(code: number): void {
    this.#add(this.#resetsReceived + codePlace(code), 1);
  }

  /** The peer went beyond a limit: its connection ends, or the stream that did. */
  limitReached(limit: Http2Limit): void {
    this.#add(this.#limits + http2Limits.indexOf(limit), 1);
  }

  #add(cell: number, value: number): void {
    this.#cells[cell] = (this.#cells[cell] as number) + value;
  }
}
