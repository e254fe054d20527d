import type { ConnectionCore } from './connection-core.ts';
import type { Frame, FrameHandler } from './frame-reader.ts';
import { errorCode } from './frames.ts';
import type { ErrorName } from './frames.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { IncomingMessages } from './incoming-messages.ts';

/** What each frame means beside the state of its stream and of the connection (RFC 9113 §5, §6). */
export class FrameRules implements FrameHandler {
  readonly #core: ConnectionCore;
  readonly #messages: IncomingMessages;
  #settingsSeen = false;
  #settingsAcknowledged = false;

  constructor(core: ConnectionCore, messages: IncomingMessages) {
    this.#core = core;
    this.#messages = messages;
  }

  get isStopped(): boolean {
    return this.#core.hasFailed;
  }

  /** Whether the peer has taken our SETTINGS. */
  get isAcknowledged(): boolean {
    return this.#settingsAcknowledged;
  }

  // ── frames of a stream ────────────────────────────────────────────────────────────────────────────────────────────

  onData(frame: Frame): void {
    const { flow, table } = this.#core;
    const { stream: id, wireBytes } = frame;
    if (table.isIdle(id)) return this.#core.fail('PROTOCOL_ERROR', 'DATA on an idle stream');
    // Padding and what nobody takes count as well (§6.9.1).
    if (!flow.take(wireBytes)) return this.#core.fail('FLOW_CONTROL_ERROR', 'connection window exceeded');
    const stream = table.get(id);
    if (stream === undefined || stream.remoteEnded) {
      flow.giveBack(wireBytes);
      return this.#core.closedStreamError(id, stream);
    }
    if (flow.takeForStream(stream, wireBytes)) return this.#body(stream, frame);
    return this.#core.streamError(stream, 'FLOW_CONTROL_ERROR', 'stream window exceeded');
  }

  #body(stream: Http2Stream, { buffer, start, end, endStream, wireBytes }: Frame): void {
    const { flow, lives } = this.#core;
    const length = end - start;
    if (length === 0 && !endStream && !this.#core.spend('glitch')) return undefined;
    const fault = bodyFault(stream, length, endStream);
    if (fault !== undefined) return this.#core.streamError(stream, 'PROTOCOL_ERROR', fault);
    if (wireBytes > length) flow.consume(stream, wireBytes - length);
    if (stream.isDiscarding) flow.consume(stream, length);
    else if (length > 0) stream.handler?.data(buffer, start, end);
    if (endStream && !stream.isReset) lives.remoteEnd(stream, undefined);
    return undefined;
  }

  onHeaderBlock(frame: Frame): void {
    this.#messages.block(frame);
  }

  onPriority(): void {
    this.#core.spend('glitch');
  }

  onReset(id: number, code: number): void {
    const { table, lives, isServer } = this.#core;
    if (table.isIdle(id)) return this.#core.fail('PROTOCOL_ERROR', 'RST_STREAM on an idle stream');
    this.#core.tally.resetReceived(code);
    const stream = table.get(id);
    if (stream === undefined) return void this.#core.spend('glitch');
    const isPremature = isServer && !stream.localEnded;
    lives.end(stream, code, 'peer');
    if (isPremature) this.#core.spend('reset');
    return undefined;
  }

  onWindowUpdate(id: number, bytes: number): void {
    const { table, scheduler } = this.#core;
    if (!this.#core.spend('windowUpdate')) return undefined;
    if (id === 0) {
      if (!scheduler.addWindow(bytes)) return this.#core.fail('FLOW_CONTROL_ERROR', 'window too large');
      return scheduler.pump();
    }
    if (table.isIdle(id)) return this.#core.fail('PROTOCOL_ERROR', 'WINDOW_UPDATE on an idle stream');
    const stream = table.get(id);
    if (stream === undefined) return undefined;
    if (scheduler.addStreamWindow(stream, bytes)) return scheduler.pump();
    return this.#core.streamError(stream, 'FLOW_CONTROL_ERROR', 'window too large');
  }

  // ── frames of the connection ──────────────────────────────────────────────────────────────────────────────────────

  onSettings({ buffer, start, end }: Frame): void {
    const { peer, encoder, output, isServer } = this.#core;
    if (this.#settingsSeen && !this.#core.spend('settings')) return undefined;
    this.#settingsSeen = true;
    const before = peer.initialWindowBytes;
    const fault = peer.apply(buffer, start, end, !isServer);
    if (fault !== undefined) return this.#core.fail(fault, 'bad value in SETTINGS');
    encoder.setLimit(peer.headerTableBytes);
    output.settingsAck();
    return this.#shiftWindows(peer.initialWindowBytes - before);
  }

  /** A new initial window holds for streams that are open as well (§6.9.2). */
  #shiftWindows(change: number): void {
    const { table, scheduler } = this.#core;
    if (change === 0) return undefined;
    for (const stream of table.values()) {
      if (!scheduler.addStreamWindow(stream, change)) {
        return this.#core.fail('FLOW_CONTROL_ERROR', 'window too large');
      }
    }
    return scheduler.pump();
  }

  onSettingsAck(): void {
    if (this.#settingsAcknowledged) return void this.#core.spend('glitch');
    this.#settingsAcknowledged = true;
    return this.#core.flow.acknowledge(this.#core.table.values());
  }

  onPing({ buffer, start }: Frame): void {
    if (this.#core.spend('ping')) this.#core.output.ping(buffer, start, true);
  }

  onPong({ buffer, start }: Frame): void {
    const { goingAway, table, events } = this.#core;
    const pong = goingAway.pong(buffer, start);
    if (pong === 'alive') events.pong();
    else if (pong === 'drained') goingAway.finish(table.lastPeerId);
    else this.#core.spend('glitch');
  }

  onGoaway(last: number, code: number): void {
    const { goingAway, table, lives, isServer, events, tally } = this.#core;
    tally.goawayReceived(code);
    if (!this.#core.spend('glitch')) return undefined;
    if (!goingAway.hear(last)) return this.#core.fail('PROTOCOL_ERROR', 'GOAWAY with a higher stream');
    if (!isServer) {
      for (const stream of table.values()) {
        if (stream.id > last) lives.end(stream, errorCode.REFUSED_STREAM, 'peer');
      }
    }
    return events.goaway(last, code);
  }

  onUnknown(): void {
    this.#core.spend('glitch');
  }

  /** Where there is no such stream, there is nothing to reset but the connection (§5.4.1). */
  onStreamFault(id: number, code: ErrorName, reason: string): void {
    const stream = this.#core.table.get(id);
    if (stream === undefined) this.#core.fail(code, reason);
    else this.#core.streamError(stream, code, reason);
  }

  onConnectionFault(code: ErrorName, reason: string): void {
    // Of what is judged from frames alone, this is the only excess.
    if (code === 'ENHANCE_YOUR_CALM') this.#core.tally.limitReached('continuation');
    this.#core.fail(code, reason);
  }
}

/** Holds a body to its Content-Length (§8.1.1). */
function bodyFault(stream: Http2Stream, length: number, endStream: boolean): string | undefined {
  if (!stream.headReceived) return 'DATA before the head';
  if (stream.expected < 0) return undefined;
  if (length > stream.expected) return 'more DATA than content-length';
  stream.expected -= length;
  return endStream && stream.expected > 0 ? 'less DATA than content-length' : undefined;
}
