import type { HeaderList } from '../util/header-list.ts';
import { ConnectionCore } from './connection-core.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameRules } from './frame-rules.ts';
import { setting } from './frames.ts';
import type { ErrorName } from './frames.ts';
import type { Http2Events, Http2Options } from './http2-events.ts';
import type { FieldSource, Http2Stream, StreamHandler, StreamLink } from './http2-stream.ts';
import { IncomingMessages } from './incoming-messages.ts';
import type { PeerSettings } from './peer-settings.ts';
import { OUTPUT_FULL_BYTES } from './send-scheduler.ts';

// HTTP/2 (RFC 9113) as a state machine for both roles. In: bytes from the peer, and what is to be sent. Out: events, and
// bytes to write, gathered until `take`. Pure: no sockets, no timers; the clock is passed in. Strict: a peer that breaks a
// rule is told so as the RFC says, and one that only costs work runs out of budget.
// The way of a byte in: frame-reader (what is judged from a frame alone) → frame-rules (beside the state of stream and
// connection) → incoming-messages (heads and trailers) → events and stream handlers. The way out: http2-stream → here →
// send-scheduler (windows, turns) → frame-output. Imports util only.

export class Http2Connection implements StreamLink {
  readonly #core: ConnectionCore;
  readonly #messages: IncomingMessages;
  readonly #rules: FrameRules;
  readonly #reader: FrameReader;

  constructor(options: Http2Options, events: Http2Events) {
    this.#core = new ConnectionCore(options, events);
    this.#messages = new IncomingMessages(this.#core, this);
    this.#rules = new FrameRules(this.#core, this.#messages);
    this.#reader = new FrameReader(this.#rules, this.#core.isServer);
  }

  get role(): 'server' | 'client' {
    return this.#core.options.role;
  }

  /** What the peer said of itself. */
  get peer(): Readonly<PeerSettings> {
    return this.#core.peer;
  }

  /** Streams that are open or half open. */
  get openStreams(): number {
    return this.#core.table.size;
  }

  /** Whether the connection has failed, or either side has said that no further streams are to come. */
  get isClosing(): boolean {
    return this.#core.hasFailed || this.#core.goingAway.isClosing;
  }

  /** Client: how many more streams may be opened now. */
  get room(): number {
    const { table, peer, limits } = this.#core;
    if (this.isClosing || table.nextOwnId === undefined) return 0;
    return Math.max(0, Math.min(peer.maxConcurrentStreams, limits.maxConcurrentStreams) - table.size);
  }

  /** Whether the peer has taken our SETTINGS: an honest one does within a round trip (SETTINGS_TIMEOUT, §6.5.3). */
  get isAcknowledged(): boolean {
    return this.#rules.isAcknowledged;
  }

  /** False while the output is full: the transport should read no more until it was taken. */
  get wantsInput(): boolean {
    return this.#core.output.length < OUTPUT_FULL_BYTES;
  }

  /** Many body bytes wait for the peer's windows: whoever feeds them should read in small pieces. */
  get isCongested(): boolean {
    return this.#core.scheduler.waitingBytes > this.#core.limits.maxWaitingBytes / 4;
  }

  /** Frames read so far, a whole header block counted as one. */
  get completedFrames(): number {
    return this.#reader.completed;
  }

  /** Whether something other than DATA has begun to come and is not complete. */
  get isInsideHead(): boolean {
    return this.#reader.isInsideHead;
  }

  /** Whether the last stream that we deal with has been named to the peer. */
  get isFinal(): boolean {
    return this.#core.goingAway.isFinal;
  }

  /** Bytes that `take` would give. */
  get outputBytes(): number {
    return this.#core.output.length;
  }

  /** Bytes that are held here: output, bodies that wait, input that is not whole. */
  get heldBytes(): number {
    const { output, scheduler } = this.#core;
    return output.length + scheduler.waitingBytes + this.#reader.heldBytes;
  }

  /** Says hello. Before everything else. */
  start(): void {
    const { isServer, limits, options, output, flow } = this.#core;
    this.#core.begin();
    if (!isServer) output.preface();
    const values: [number, number][] = [
      [setting.initialWindowSize, limits.streamWindowBytes],
      [setting.maxHeaderListSize, limits.maxHeaderBytes + 32 * limits.maxFields],
    ];
    if (isServer) values.push([setting.maxConcurrentStreams, limits.maxConcurrentStreams]);
    else values.push([setting.enablePush, 0]);
    if (isServer && options.allowConnectProtocol === true) values.push([setting.enableConnectProtocol, 1]);
    output.settings(values);
    flow.start();
  }

  /**
   * Takes bytes from the peer; they are only lent. Events come during the call. After a failure input is ignored. Returns
   * how far it went: it stops behind so many `frames`, a whole header block counted as one, and leaves the rest.
   */
  // oxlint-disable-next-line max-params -- a range of a buffer and how much of it, hot
  receive(buffer: Buffer, start = 0, end = buffer.length, frames = Number.POSITIVE_INFINITY): number {
    const core = this.#core;
    if (core.hasFailed) return end;
    core.budgets.refill(core.options.now());
    const used = this.#reader.receive(buffer, start, end, frames);
    if (core.output.length > core.limits.maxOutputBytes) core.failUnread();
    return core.hasFailed ? end : used;
  }

  /**
   * Everything there is to write; undefined when there is nothing. Take no more before the transport has room again: so
   * its back-pressure reaches the streams. Bodies that waited for room then go on.
   */
  take(): Buffer | undefined {
    const { output, scheduler } = this.#core;
    if (output.length === 0) return undefined;
    const bytes = output.take();
    scheduler.pump();
    return bytes;
  }

  /**
   * Client: opens a stream; undefined when there is no room. Extended CONNECT only where `peer.enableConnectProtocol`.
   * The handler may be told before this returns only when the connection fails.
   */
  open(fields: FieldSource, endStream: boolean, handler: StreamHandler): Http2Stream | undefined {
    const { table } = this.#core;
    const id = table.nextOwnId;
    if (this.room <= 0 || id === undefined) return undefined;
    table.beginOwn(id);
    const stream = this.#messages.createStream(id);
    const method = methodOf(fields);
    stream.handler = handler;
    stream.headSent = true;
    stream.isHead = method === 'HEAD';
    stream.isTunnel = method === 'CONNECT';
    this.sendHeaders(stream, fields, endStream);
    return stream;
  }

  /** Gives back the fields of a head that nobody looks at any more, for one of the next. */
  recycle(headers: HeaderList): void {
    this.#messages.recycle(headers);
  }

  /** Asks for a sign of life; `pong` is told. */
  ping(): void {
    if (!this.#core.hasFailed) this.#core.goingAway.ping();
  }

  /**
   * Tells the peer to go (§6.8): streams that are on their way still come, and a round trip later a second GOAWAY names the
   * last one. Streams that are open run to their end; close the transport when `openStreams` is 0.
   */
  shutdown(): void {
    if (!this.#core.hasFailed) this.#core.goingAway.announce();
  }

  /** Takes no further stream from now on. Streams that are open run to their end. */
  shutdownNow(): void {
    if (!this.#core.hasFailed) this.#core.goingAway.finish(this.#core.table.lastPeerId);
  }

  /** Gives the connection up for a reason that frames do not show: time. `failed` is told. */
  fail(code: ErrorName, reason: string): void {
    this.#core.fail(code, reason);
  }

  /** Bytes that have come of a frame of DATA on this stream which is not complete. */
  partialData(stream: Http2Stream): number {
    return this.#reader.partialData(stream.id);
  }

  /** The transport is gone: ends every stream. Nothing is told of the connection any more. */
  close(): void {
    this.#core.close();
  }

  // ── what streams ask for ──────────────────────────────────────────────────────────────────────────────────────────

  consume(stream: Http2Stream, bytes: number): void {
    if (!this.#core.hasFailed) this.#core.flow.consume(stream, bytes);
  }

  discard(stream: Http2Stream): void {
    if (this.#core.hasFailed) return;
    if (stream.isClosed) return this.#core.flow.release(stream);
    stream.isDiscarding = true;
    this.#core.flow.consume(stream, stream.unconsumed);
    if (stream.localEnded && !stream.remoteEnded) this.#core.lives.reset(stream, 'NO_ERROR');
    return undefined;
  }

  sendHeaders(stream: Http2Stream, fields: FieldSource, endStream: boolean): void {
    const core = this.#core;
    if (stream.isReset || stream.localEnded || stream.endQueued || core.hasFailed) return undefined;
    if (core.output.length > core.limits.maxOutputBytes) return core.overflow(stream, 'output');
    core.writeHeaders(stream, fields, endStream);
    if (endStream) core.lives.localEnd(stream);
    return undefined;
  }

  // oxlint-disable-next-line max-params -- a range of a buffer for a stream, hot
  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number): boolean {
    const core = this.#core;
    if (stream.isReset || stream.localEnded || stream.endQueued || core.hasFailed) return true;
    const isSent = core.scheduler.send(stream, bytes, start, end);
    if (core.scheduler.waitingBytes > core.limits.maxWaitingBytes) core.overflow(stream, 'waiting');
    return isSent;
  }

  sendEnd(stream: Http2Stream, trailers: HeaderList | undefined): void {
    const core = this.#core;
    if (stream.isReset || stream.localEnded || stream.endQueued || core.hasFailed) return;
    if (stream.headSent) core.scheduler.end(stream, trailers);
    else core.lives.reset(stream, 'INTERNAL_ERROR');
  }

  sendReset(stream: Http2Stream, code: ErrorName): void {
    if (this.#core.hasFailed) return;
    // Nothing is left to end, but what nobody will consume has to come back.
    if (stream.isClosed) this.#core.flow.release(stream);
    else this.#core.lives.reset(stream, code);
  }
}

function methodOf({ pseudo }: FieldSource): string {
  for (const [name, value] of pseudo) if (name === ':method') return value;
  return '';
}
