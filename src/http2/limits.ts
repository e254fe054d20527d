/** What one connection allows its peer, and itself. The defaults are what RFC 9113 §10.5 asks a server to think about. */
export interface Http2Limits {
  /** Streams open at a time: the peer's towards a server, our own as a client. */
  readonly maxConcurrentStreams: number;
  /** Streams that a client may open in the connection's life; then it is told to go. */
  readonly maxStreams: number;
  /** Fields of a message's head, cookie crumbs counted one by one, pseudo-fields not counted. */
  readonly maxFields: number;
  /**
   * Names and values of a decoded section, without the 32 bytes an entry of SETTINGS_MAX_HEADER_LIST_SIZE. Holds whether
   * or not our SETTINGS were acknowledged.
   */
  readonly maxHeaderBytes: number;
  readonly maxTrailerFields: number;
  readonly maxTrailerBytes: number;
  /** What the peer may send on a stream before it is consumed. */
  readonly streamWindowBytes: number;
  /** To this a stream's window grows while what comes is consumed; `streamWindowBytes` or less: it stays as it is. */
  readonly grownWindowBytes: number;
  /** The same over all streams; 65,535 at least, because no frame can lower it. */
  readonly connectionWindowBytes: number;
  /** Body bytes that wait for the peer's windows, over all streams. A stream that writes beyond is reset. */
  readonly maxWaitingBytes: number;
  /** Output that was not taken, beyond which a stream that sends a head is reset, and a peer that asks for more is told to go. */
  readonly maxOutputBytes: number;
  /** What costs us work and asks for nothing, a kind each. */
  readonly budgets: Readonly<Record<BudgetName, number>>;
}

/**
 * How often in ten seconds, besides what is earned:
 * `reset`: streams that the peer resets before their answer was complete (CVE-2023-44487), or that we reset because of
 * its faults (CVE-2025-8671); a stream that runs to its end earns a part of one.
 * `refused`: streams beyond those that may be open.
 * `ping`: each wants an answer; DATA that we send earns one (gRPC measures the line so).
 * `settings`: each wants an answer.
 * `windowUpdate`: DATA that we send earns ten.
 * `glitch`: empty DATA, PRIORITY, unknown frames, frames of streams that are over; a request earns ten.
 */
export type BudgetName = 'reset' | 'refused' | 'ping' | 'settings' | 'windowUpdate' | 'glitch';

export const defaultLimits: Http2Limits = {
  maxConcurrentStreams: 100,
  maxStreams: 10_000,
  maxFields: 100,
  maxHeaderBytes: 32_768,
  maxTrailerFields: 32,
  maxTrailerBytes: 8192,
  streamWindowBytes: 262_144,
  grownWindowBytes: 0,
  connectionWindowBytes: 1_048_576,
  maxWaitingBytes: 1_835_008,
  maxOutputBytes: 1_048_576,
  budgets: { reset: 200, refused: 4000, ping: 100, settings: 50, windowUpdate: 1000, glitch: 1000 },
};
