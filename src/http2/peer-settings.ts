import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, MAX_WINDOW_BYTES, setting } from './frames.ts';
import type { ErrorName } from './frames.ts';

/** What most peers allow (§6.5.2 recommends no less), taken for granted until the peer has spoken. */
const ASSUMED_STREAMS = 100;

/** What the peer said of itself (RFC 9113 §6.5.2); until then, the defaults. */
export class PeerSettings {
  headerTableBytes = 4096;
  maxConcurrentStreams = ASSUMED_STREAMS;
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  /** RFC 8441: extended CONNECT may be sent. */
  enableConnectProtocol = false;
  #spoke = false;

  /** Whether its first SETTINGS have come. */
  get hasSpoken(): boolean {
    return this.#spoke;
  }

  /**
   * Takes the entries of a SETTINGS frame, in order. Returns the connection error that one of them is, if any.
   * `fromServer`: who sent it.
   */
  apply(buffer: Buffer, start: number, end: number, fromServer: boolean): ErrorName | undefined {
    // What the first frame does not limit is not limited.
    if (!this.#spoke) this.maxConcurrentStreams = Infinity;
    this.#spoke = true;
    for (let at = start; at < end; at += 6) {
      const fault = this.#applyOne(buffer.readUInt16BE(at), buffer.readUInt32BE(at + 2), fromServer);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #applyOne(id: number, value: number, fromServer: boolean): ErrorName | undefined {
    switch (id) {
      case setting.headerTableSize:
        this.headerTableBytes = value;
        return undefined;
      case setting.enablePush:
        return value > 1 || (fromServer && value === 1) ? 'PROTOCOL_ERROR' : undefined;
      case setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return undefined;
      case setting.initialWindowSize:
        if (value > MAX_WINDOW_BYTES) return 'FLOW_CONTROL_ERROR';
        this.initialWindowBytes = value;
        return undefined;
      case setting.maxFrameSize:
        // Frames of ours are never larger than every receiver has to take.
        return value < DEFAULT_FRAME_BYTES || value >= 2 ** 24 ? 'PROTOCOL_ERROR' : undefined;
      case setting.enableConnectProtocol:
        return this.#applyConnectProtocol(value);
      default:
        return undefined;
    }
  }

  /** RFC 8441 §3: once given, it stays. */
  #applyConnectProtocol(value: number): ErrorName | undefined {
    if (value > 1 || (this.enableConnectProtocol && value === 0)) return 'PROTOCOL_ERROR';
    this.enableConnectProtocol = value === 1;
    return undefined;
  }
}
