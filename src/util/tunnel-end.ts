/**
 * One side of a tunnel, once both sides have agreed to speak another protocol: a connection that has been upgraded, or a
 * stream of an extended CONNECT. A tunnel joins two of them and knows neither.
 */
export interface TunnelEnd {
  /**
   * From now on what comes is told, beginning with what was received behind the message that agreed to the tunnel. Nothing
   * was lost before. Called once.
   */
  start(listener: TunnelListener): void;
  /**
   * Sends bytes, which are given away. Returns false when the other side does not keep up; `onDrain` follows. Bytes written
   * behind `end` or `destroy` are dropped.
   */
  write(bytes: Buffer): boolean;
  /** Ends our direction behind everything that was written (FIN, END_STREAM). */
  end(): void;
  /** Ends both directions; what was written still leaves where it can. */
  close(): void;
  /** Ends both directions at once, so that the other side can see that it was cut. */
  destroy(): void;
  /** Stops, and goes on, telling `onData`: the other side is held back. */
  pause(): void;
  resume(): void;
}

export interface TunnelListener {
  /** Bytes that may be kept. */
  onData(bytes: Buffer): void;
  onDrain(): void;
  /** The other side's direction is complete; ours may go on. */
  onEnd(): void;
  /** Both directions are over, for whatever reason. Told once, the last call; also after `close` and `destroy`. */
  onClose(): void;
}
