import type { Socket } from 'node:net';

import { fieldLine, lastChunk, responseHeadText } from '../http1/message-writer.ts';
import type { ResponseHead } from '../http1/message-head.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { AnswerHead } from './downstream.ts';
import { httpDate } from './http-date.ts';
import { OutputBuffer } from '../upstream/output-buffer.ts';

type Coding = 'plain' | 'chunked' | 'none';

/** Writes the answers of one HTTP/1 connection, one after the other. Nothing leaves before `flush` or `end`. */
export class Http1Answer {
  readonly socket: Socket;
  /** Whether the connection ends with the answer that was begun last. */
  closes = false;
  /** Whether only the end of the connection will end its body. */
  endsWithConnection = false;
  readonly #output = new OutputBuffer();
  #forceClose = false;
  #coding: Coding = 'plain';

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** The next answer is the last one, whatever it says itself. */
  forceClose(): void {
    this.#forceClose = true;
  }

  informational(status: number, headers: HeaderList): void {
    this.#output.add(responseHeadText(status, '', headers, ''));
    this.flush();
  }

  /** The last thing that is HTTP on this connection. */
  switchProtocols(head: ResponseHead, upgrade: string): void {
    const fields = `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`;
    this.#output.add(responseHeadText(101, head.reason, head.headers, fields));
    this.flush();
  }

  begin(answer: AnswerHead, minor: 0 | 1, close: boolean): void {
    const streams = answer.length === -1;
    // HTTP/1.0 knows no chunks: there the end of the connection ends the body.
    this.endsWithConnection = streams && minor === 0 && !answer.bodiless;
    this.closes = close || this.#forceClose || this.endsWithConnection;
    this.#coding = answer.bodiless ? 'none' : streams && minor === 1 ? 'chunked' : 'plain';
    if (!answer.headers.has('date')) answer.headers.push('Date', 'date', httpDate());
    const framing = framingField(answer.length, minor);
    const connection = this.closes
      ? 'Connection: close\r\n'
      : minor === 0
        ? 'Connection: keep-alive\r\n'
        : '';
    this.#output.add(responseHeadText(answer.status, answer.reason, answer.headers, framing + connection));
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#coding === 'none' || end === start) return;
    const bytes = buffer.subarray(start, end);
    if (this.#coding === 'chunked') this.#output.addChunked(bytes);
    else this.#output.add(bytes);
  }

  /** Whether bytes that were handed over are still needed, and not only copies of them. */
  get isLending(): boolean {
    return this.#output.isLending(this.socket);
  }

  /** Returns false when the client does not keep up. */
  flush(): boolean {
    return this.#output.flush(this.socket);
  }

  end(trailers: HeaderList | undefined): void {
    if (this.#coding === 'chunked') this.#output.add(lastChunk(trailers));
    this.#coding = 'plain';
    this.flush();
  }
}

/** -1 streams; undefined states nothing. */
function framingField(length: number | undefined, minor: 0 | 1): string {
  if (length === undefined) return '';
  if (length >= 0) return fieldLine('Content-Length', length);
  return minor === 1 ? 'Transfer-Encoding: chunked\r\n' : '';
}
