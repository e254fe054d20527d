import type { Socket } from 'node:net';

import { Http2Connection } from '../../http2/http2-connection.ts';
import type { Http2Events } from '../../http2/http2-events.ts';
import type { Http2Stream, StreamHandler } from '../../http2/http2-stream.ts';
import { defaultLimits } from '../../http2/limits.ts';
import type { HeadFault, Http2RequestHead } from '../../http2/message-heads.ts';
import type { ErrorCodeName } from '../../telemetry/error-codes.ts';
import type { HeaderList } from '../../util/header-list.ts';
import { TurnQueue } from '../../util/turn-queue.ts';
import type { TurnMember } from '../../util/turn-queue.ts';
import { TurnShare } from '../../util/turn-share.ts';
import type { Client } from '../client.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import type { ProxyServices } from '../proxy-services.ts';
import { WriteWatch } from '../write-watch.ts';
import { ClientStream } from './client-stream.ts';
import type { RequestIntake } from './request-intake.ts';
import { sessionLimits } from './session-limits.ts';
import { SessionTimes, Time } from './session-times.ts';
import type { StreamShare } from './stream-share.ts';

// HTTP/2 with clients: the codec on a socket, and its streams as requests. Comes in: an accepted connection whose protocol
// is known. Goes out: requests to exchanges, of which each stream has its own. What all streams have to send leaves in one
// write a turn of the event loop; the next is taken when the socket has room. Knows no routes, filters or endpoints.

/** Time for the client to take our SETTINGS (RFC 9113 §6.5.3): without that it may not have got our limits. */
const ACKNOWLEDGE_MS = 10_000;
/** Shutting down: requests may be on their way, so they are awaited this long unless the client says that there are none. */
const LAST_REQUEST_MS = 500;
/** A closing connection reads on for this long, so that its last frames are not lost to a reset. */
const LINGER_MS = 2_000;
/** A client with open streams that says nothing for this long is asked for a sign of life, which it has a while to give. */
const SILENCE_MS = 60_000;
const ANSWER_PING_MS = 20_000;
/** A write of so many bytes need not grow: it is a record of TLS. */
const FULL_WRITE_BYTES = 16_384;
/** Turns of the event loop over which a write may grow. */
const MAX_GATHERING_TURNS = 4;
/** Frames that one connection has read in a turn: as many as an honest client sends at once, and a few milliseconds of work. */
const FRAMES_A_TURN = 200;
/** Objects for streams that are kept for the next ones. */
const MAX_SPARE_STREAMS = 16;

/** Of this thread. */
const turns = new TurnQueue();

/**
 * `open`: takes requests. `leaving`: the client was told to go, its streams run to their end. `failed`: the last thing to
 * send waits. `ended`: all is sent, input is discarded.
 */
type Phase = 'open' | 'leaving' | 'failed' | 'ended' | 'closed';

/** A client's HTTP/2 connection. */
export class Http2Session implements Http2Events, StreamShare, TurnMember {
  readonly socket: Socket;
  readonly services: ProxyServices;
  readonly client: Client;
  readonly hsts: string;
  readonly isTrusted: boolean;
  goneCode: ErrorCodeName = 'SP_CLIENT_GONE';
  unconsumedBytes = 0;

  readonly #options: ConnectionOptions;
  readonly #connection: Http2Connection;
  readonly #spare: ClientStream[] = [];
  /** Streams whose bodies came with this read. Valid below `#fedCount`. */
  readonly #fed: RequestIntake[] = [];
  #fedCount = 0;
  #open = 0;
  #phase: Phase = 'open';
  #isFlushDue = false;
  #gatheredBytes = 0;
  #gatheredTurns = 0;
  #isBlocked = false;
  #isReading = true;
  #writeWatch: WriteWatch | undefined;
  /** Input that is left for the next turn. */
  #rest: Buffer | undefined;
  readonly #share: TurnShare;
  readonly #times: SessionTimes;
  /** Frames that were complete when the one that drips in began. */
  #headFrames = 0;
  #heardMs: number;
  #isPinged = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    const { services, client } = options;
    const { settings, sweeper, counters, fields } = services;
    this.socket = socket;
    this.services = services;
    this.client = client;
    this.hsts = client.transport === 'https' ? settings.hsts : '';
    this.isTrusted = fields.trusted.trusts(client.address);
    this.#options = options;
    this.#connection = new Http2Connection(
      {
        role: 'server',
        limits: sessionLimits(settings),
        allowConnectProtocol: true,
        tally: counters.http2Client,
        now: () => sweeper.turnMs,
      },
      this,
    );
    this.#heardMs = sweeper.turnMs;
    this.#share = new TurnShare(FRAMES_A_TURN, () => this.#readOn());
    this.#times = new SessionTimes(sweeper, (time, now) => this.#onTime(time, now));
    this.#times.set(Time.acknowledge, ACKNOWLEDGE_MS);
    this.#times.set(Time.idle, settings.clientKeepAliveMs);
    this.#times.set(Time.life, SILENCE_MS);
    counters.connectionOpened();
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => this.#onGone());
    socket.on('close', () => this.#onClose());
    socket.on('drain', () => this.#onDrain());
    this.#connection.start();
    if (services.draining) this.drain();
  }

  get isCongested(): boolean {
    return this.#connection.isCongested;
  }

  get isStarved(): boolean {
    return this.unconsumedBytes >= defaultLimits.connectionWindowBytes / 2;
  }

  /** Shutting down: the client is told to go, and its streams run to their end. */
  drain(): void {
    if (this.#phase !== 'open') return;
    this.#leave();
    this.#connection.shutdown();
  }

  // ── what streams tell ─────────────────────────────────────────────────────────────────────────────────────────────

  partialData(stream: Http2Stream): number {
    return this.#connection.partialData(stream);
  }

  recycle(headers: HeaderList): void {
    this.#connection.recycle(headers);
  }

  fed(intake: RequestIntake): void {
    intake.isFed = true;
    this.#fed[this.#fedCount++] = intake;
  }

  released(stream: ClientStream, isReusable: boolean): void {
    if (isReusable && this.#spare.length < MAX_SPARE_STREAMS) this.#spare.push(stream);
    this.#open--;
    if (this.#open > 0) return;
    this.#times.set(Time.idle, this.services.settings.clientKeepAliveMs);
    // Not from within an event of the codec.
    if (this.#connection.isClosing) this.wake();
  }

  stalled(): void {
    if (this.#open === 0) this.drain();
  }

  // ── what the codec tells ──────────────────────────────────────────────────────────────────────────────────────────

  wake(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#gatheredBytes = 0;
    this.#gatheredTurns = 0;
    turns.add(this);
  }

  request(stream: Http2Stream, head: Http2RequestHead, isComplete: boolean): StreamHandler {
    return this.#newStream().begin(stream, head, isComplete);
  }

  refused(stream: Http2Stream, fault: HeadFault): void {
    this.#newStream().refuse(stream, fault);
  }

  streamFault(): void {
    // Counted by the codec's tally.
  }

  goaway(): void {
    this.#connection.shutdownNow();
  }

  pong(): void {
    // Whatever comes is a sign of life.
  }

  failed(): void {
    this.#phase = 'failed';
    this.#times.set(Time.close, LINGER_MS);
  }

  /**
   * Lets leave what the streams have to send, unless more is about to come: other answers are awaited, and this turn of the
   * event loop has brought some. A write costs as much as all else that is done for an answer.
   */
  onTurn(): boolean {
    const bytes = this.#connection.outputBytes;
    const grows = bytes > this.#gatheredBytes && bytes < FULL_WRITE_BYTES;
    if (this.#open > 0 && grows && this.#gatheredTurns++ < MAX_GATHERING_TURNS) {
      this.#gatheredBytes = bytes;
      return false;
    }
    this.#isFlushDue = false;
    this.#flush();
    return true;
  }

  #flush(): void {
    if (this.#isBlocked || this.#phase === 'ended' || this.#phase === 'closed') return;
    this.#write();
    this.#readOn();
    if (this.#phase === 'failed') this.#end();
    else if (this.#connection.isClosing) this.#endIfDone();
  }

  // ── the socket ────────────────────────────────────────────────────────────────────────────────────────────────────

  #onData(chunk: Buffer): void {
    if (this.#phase === 'ended' || this.#phase === 'closed') return;
    const { sweeper } = this.services;
    sweeper.turn();
    this.#heardMs = sweeper.turnMs;
    this.#isPinged = false;
    this.#receive(this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]));
  }

  /** As much as one turn has for this connection; the rest waits for the next. */
  #receive(bytes: Buffer): void {
    const connection = this.#connection;
    const frames = connection.completedFrames;
    const used = connection.receive(bytes, 0, bytes.length, this.#share.left);
    const isMore = used < bytes.length;
    this.#rest = isMore ? bytes.subarray(used) : undefined;
    this.#share.spend(connection.completedFrames - frames, isMore);
    this.#settleBodies();
    if (connection.isInsideHead) this.#watchHead();
    else this.#times.clear(Time.head);
    if (!this.#wantsInput) this.#pauseReading();
    if (connection.isClosing) this.wake();
  }

  /** Goes on where the last turn, or output that was not taken, made an end. */
  #readOn(): void {
    if (this.#phase === 'ended' || this.#phase === 'closed' || !this.#connection.wantsInput) return;
    if (this.#rest !== undefined && this.#share.left > 0) {
      this.services.sweeper.turn();
      this.#receive(this.#rest);
    }
    if (!this.#isReading && this.#wantsInput) this.#resumeReading();
  }

  get #wantsInput(): boolean {
    return this.#rest === undefined && this.#connection.wantsInput;
  }

  #settleBodies(): void {
    for (let index = 0; index < this.#fedCount; index++) (this.#fed[index] as RequestIntake).settle();
    this.#fedCount = 0;
  }

  #write(): void {
    const bytes = this.#connection.take();
    if (bytes === undefined || this.socket.write(bytes)) return;
    this.#isBlocked = true;
    const { sweeper, settings } = this.services;
    this.#writeWatch ??= new WriteWatch(this.socket, sweeper, settings.clientWriteTimeoutMs, () =>
      this.#onStalled(),
    );
    this.#writeWatch.start();
  }

  #onDrain(): void {
    if (!this.#isBlocked) return;
    this.services.sweeper.turn();
    this.#isBlocked = false;
    this.#writeWatch?.stop();
    this.#flush();
  }

  /** The client reads nothing. */
  #onStalled(): void {
    this.goneCode = 'SP_CLIENT_SLOW';
    this.#onGone();
    this.socket.destroy();
  }

  #onEnd(): void {
    this.#onGone();
    this.socket.destroy();
  }

  #onGone(): void {
    this.services.sweeper.turn();
    this.#connection.close();
  }

  #onClose(): void {
    this.#onGone();
    this.#phase = 'closed';
    this.#rest = undefined;
    this.#times.stop();
    this.#spare.length = 0;
    this.#fed.length = 0;
    this.#writeWatch?.stop();
    this.services.counters.connectionClosed();
    this.#options.onClosed();
  }

  #pauseReading(): void {
    this.#isReading = false;
    this.socket.pause();
  }

  #resumeReading(): void {
    this.#isReading = true;
    this.socket.resume();
  }

  // ── streams and their end ─────────────────────────────────────────────────────────────────────────────────────────

  #newStream(): ClientStream {
    if (this.#open++ === 0) this.#times.clear(Time.idle);
    return this.#spare.pop() ?? new ClientStream(this);
  }

  #leave(): void {
    this.#phase = 'leaving';
    this.#times.set(Time.leave, LAST_REQUEST_MS);
  }

  /** Ends a connection that takes no further requests, once its last stream is over. */
  #endIfDone(): void {
    // Either side may have said so without being asked from here.
    if (this.#phase === 'open') this.#leave();
    if (this.#open > 0 || !this.#connection.isFinal || this.#isBlocked) return;
    this.#write();
    this.#end();
  }

  #end(): void {
    this.#phase = 'ended';
    this.#rest = undefined;
    this.socket.end();
    this.#times.set(Time.close, LINGER_MS);
    if (!this.#isReading) this.#resumeReading();
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onTime(time: Time, now: number): void {
    const connection = this.#connection;
    if (time === Time.close) return void this.socket.destroy();
    if (this.#phase !== 'open' && this.#phase !== 'leaving') return undefined;
    switch (time) {
      case Time.acknowledge:
        if (!connection.isAcknowledged) connection.fail('SETTINGS_TIMEOUT', 'settings not acknowledged');
        return undefined;
      case Time.head:
        return connection.fail('ENHANCE_YOUR_CALM', 'frame not received in time');
      case Time.idle:
        return this.drain();
      case Time.leave:
        connection.shutdownNow();
        return this.wake();
      default:
        return this.#judgeLife(now);
    }
  }

  /** A client that has gone without a word would hold its streams for ever. */
  #judgeLife(now: number): void {
    if (this.#isPinged) return void this.socket.destroy();
    const silentMs = now - this.#heardMs;
    this.#isPinged = this.#open > 0 && silentMs >= SILENCE_MS;
    if (this.#isPinged) this.#connection.ping();
    this.#times.set(Time.life, this.#isPinged ? ANSWER_PING_MS : Math.max(SILENCE_MS - silentMs, 1_000));
    return undefined;
  }

  #watchHead(): void {
    const { completedFrames } = this.#connection;
    if (this.#times.isSet(Time.head) && completedFrames === this.#headFrames) return;
    this.#headFrames = completedFrames;
    this.#times.set(Time.head, this.services.settings.clientHeaderTimeoutMs);
  }
}
