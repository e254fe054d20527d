import type { Socket } from 'node:net';

import { lastChunk, responseHeadText } from '../http1/message-writer.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { AnswerHead } from './downstream.ts';
import { httpDate } from './http-date.ts';
import { OutputBuffer, addChunk } from './output-buffer.ts';

type Coding = 'plain' | 'chunked' | 'none';

/** Writes the answers of one HTTP/1 connection, one after the other. Nothing leaves before `flush` or `end`. */
export class Http1Answer {
  readonly socket: Socket;
  /** Whether the connection ends with the answer that was begun last. */
  closes = false;
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
    this.#output.add(responseHeadText(status, '', headers, { framing: 'none', contentLength: 0 }));
    this.flush();
  }

  begin(answer: AnswerHead, minor: 0 | 1, close: boolean): void {
    const streams = answer.length === -1;
    // HTTP/1.0 knows no chunks: there the end of the connection ends the body.
    this.closes = close || this.#forceClose || (streams && minor === 0 && !answer.bodiless);
    this.#coding = answer.bodiless ? 'none' : streams && minor === 1 ? 'chunked' : 'plain';
    if (!answer.headers.has('date')) answer.headers.push('Date', 'date', httpDate());
    const framing = streams
      ? minor === 1
        ? 'chunked'
        : 'close'
      : answer.length === undefined
        ? 'none'
        : 'length';
    const contentLength = answer.length ?? 0;
    const connection = this.closes ? 'close' : minor === 0 ? 'keep-alive' : undefined;
    this.#output.add(
      connection === undefined
        ? responseHeadText(answer.status, answer.reason, answer.headers, { framing, contentLength })
        : responseHeadText(answer.status, answer.reason, answer.headers, {
            framing,
            contentLength,
            connection,
          }),
    );
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#coding === 'none' || end === start) return;
    const bytes = buffer.subarray(start, end);
    if (this.#coding === 'chunked') addChunk(this.#output, bytes);
    else this.#output.add(bytes);
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
