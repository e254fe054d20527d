import type { HeaderList } from '../util/header-list.ts';
import type { ConnectionCore } from './connection-core.ts';
import { FieldSection } from './field-section.ts';
import type { SectionLimits } from './field-section.ts';
import type { Frame } from './frame-reader.ts';
import { HpackDecoder } from './hpack/hpack-decoder.ts';
import { Http2Stream } from './http2-stream.ts';
import type { StreamHandler, StreamLink } from './http2-stream.ts';
import { isHeadFault, readRequestHead, readResponseHead, trailerFault } from './message-heads.ts';
import type { Http2ResponseHead } from './message-heads.ts';

const GLITCHES_A_REQUEST = 10;
const TOO_SHORT = 'less DATA than content-length';

/** What header blocks mean: streams that begin, heads, trailers (RFC 9113 §5.1, §8). Tells who deals with streams. */
export class IncomingMessages {
  readonly #core: ConnectionCore;
  readonly #link: StreamLink;
  readonly #decoder = new HpackDecoder();
  readonly #section = new FieldSection();
  readonly #headLimits: SectionLimits;
  readonly #trailerLimits: SectionLimits;
  /** Requests in the connection's life. */
  #accepted = 0;

  /** `link`: what new streams ask for things. */
  constructor(core: ConnectionCore, link: StreamLink) {
    const { maxFields, maxHeaderBytes, maxTrailerFields, maxTrailerBytes } = core.limits;
    this.#core = core;
    this.#link = link;
    this.#headLimits = { maxFields, maxBytes: maxHeaderBytes };
    this.#trailerLimits = { maxFields: maxTrailerFields, maxBytes: maxTrailerBytes };
  }

  recycle(headers: HeaderList): void {
    this.#section.recycle(headers);
  }

  /** A stream in its first state, in the table. */
  createStream(id: number): Http2Stream {
    const { table, peer, flow } = this.#core;
    const stream = new Http2Stream(id, this.#link, peer.initialWindowBytes, flow.initialWindow);
    table.add(stream);
    return stream;
  }

  /** Decodes the block whatever becomes of it: the compression table must stay in step (§4.3). */
  block({ buffer, start, end, stream: id, endStream }: Frame): void {
    const core = this.#core;
    const stream = core.table.get(id);
    const isTrailer = stream !== undefined && stream.headReceived;
    this.#section.begin(isTrailer ? this.#trailerLimits : this.#headLimits);
    const fault = this.#decoder.decode(buffer, start, end, this.#section);
    if (fault !== undefined) return core.fail('COMPRESSION_ERROR', fault);
    if (stream === undefined) return this.#beginStream(id, endStream);
    if (stream.remoteEnded) return core.closedStreamError(id, stream);
    return isTrailer ? this.#trailers(stream, endStream) : this.#response(stream, endStream);
  }

  #beginStream(id: number, endStream: boolean): void {
    const core = this.#core;
    const { table } = core;
    const isIdle = table.isIdle(id);
    if (isIdle && (!core.isServer || id % 2 === 0))
      return core.fail('PROTOCOL_ERROR', 'HEADERS on an idle stream');
    if (!isIdle) {
      if (table.fateOf(id) !== 'skipped') return core.closedStreamError(id);
      return core.fail('PROTOCOL_ERROR', 'HEADERS on a stream that was passed over');
    }
    table.beginPeer(id);
    // Beyond what we said we deal with: the peer knows that it was not processed (§6.8).
    if (id > core.goingAway.lastAllowed) return void core.spend('glitch');
    if (table.size >= core.limits.maxConcurrentStreams) return this.#refuse(id);
    core.budgets.earn('glitch', GLITCHES_A_REQUEST);
    const stream = this.createStream(id);
    stream.headReceived = true;
    this.#request(stream, endStream);
    return this.#countStream();
  }

  /** A stream beyond those that may be open; it may be tried again (§5.1.2). */
  #refuse(id: number): void {
    const { table, output, events } = this.#core;
    table.noteReset(id);
    output.reset(id, 'REFUSED_STREAM');
    events.streamFault('REFUSED_STREAM', 'too many streams');
    this.#core.spend('refused');
  }

  /** At the limit the client is asked to go; one that stays is not served. */
  #countStream(): void {
    const { goingAway, limits, table, hasFailed } = this.#core;
    if (hasFailed) return;
    this.#accepted++;
    if (this.#accepted === limits.maxStreams) goingAway.announce();
    if (this.#accepted === limits.maxStreams + limits.maxConcurrentStreams)
      goingAway.finish(table.lastPeerId);
  }

  #request(stream: Http2Stream, endStream: boolean): void {
    const core = this.#core;
    const head = readRequestHead(this.#section, core.options.allowConnectProtocol === true);
    if (isHeadFault(head)) {
      if (head.status === 0) return core.streamError(stream, head.code, head.reason);
      stream.isDiscarding = true;
      stream.remoteEnded = endStream;
      stream.isHead = this.#section.method === 'HEAD';
      core.events.streamFault(head.code, head.reason);
      return core.events.refused(stream, head);
    }
    if (endStream && head.contentLength > 0) return core.streamError(stream, 'PROTOCOL_ERROR', TOO_SHORT);
    stream.isTunnel = head.method === 'CONNECT';
    stream.expected = head.contentLength;
    stream.remoteEnded = endStream;
    return this.#hand(stream, core.events.request(stream, head, endStream));
  }

  /** The stream may be over by now: answered at once, or reset. */
  #hand(stream: Http2Stream, handler: StreamHandler): void {
    if (stream.untold !== undefined) return handler.reset(stream.untold.code, stream.untold.cause);
    if (stream.isClosed) return undefined;
    stream.handler = handler;
    return stream.remoteEnded ? handler.end(undefined) : undefined;
  }

  #response(stream: Http2Stream, endStream: boolean): void {
    const core = this.#core;
    const head = readResponseHead(this.#section);
    if (isHeadFault(head)) return core.streamError(stream, head.code, head.reason);
    if (head.status < 200) {
      if (endStream) return core.streamError(stream, 'PROTOCOL_ERROR', 'informational head ends the stream');
      return core.spend('glitch') ? this.#tell(stream, head) : undefined;
    }
    stream.headReceived = true;
    stream.isTunnel &&= head.status < 300;
    if (!stream.isTunnel) stream.expected = hasContent(stream, head.status) ? head.contentLength : 0;
    if (endStream && stream.expected > 0) return core.streamError(stream, 'PROTOCOL_ERROR', TOO_SHORT);
    this.#tell(stream, head);
    if (endStream && !stream.isReset) core.lives.remoteEnd(stream, undefined);
    return undefined;
  }

  #tell(stream: Http2Stream, head: Http2ResponseHead): void {
    if (!stream.isDiscarding) stream.handler?.response(head);
  }

  #trailers(stream: Http2Stream, endStream: boolean): void {
    const core = this.#core;
    if (stream.isTunnel) return core.streamError(stream, 'PROTOCOL_ERROR', 'HEADERS in a tunnel');
    if (!endStream) return core.streamError(stream, 'PROTOCOL_ERROR', 'trailers that do not end the stream');
    const fault = trailerFault(this.#section);
    if (fault !== undefined) return core.streamError(stream, fault.code, fault.reason);
    if (stream.expected > 0) return core.streamError(stream, 'PROTOCOL_ERROR', TOO_SHORT);
    return core.lives.remoteEnd(stream, this.#section.headers);
  }
}

/** Content-Length of an answer that has no content says how long another one would be (RFC 9110 §8.6). */
function hasContent({ isHead }: Http2Stream, status: number): boolean {
  return !isHead && status !== 204 && status !== 304;
}
