import type { ResponseHead } from '../../http1/message-head.ts';
import { HeaderList } from '../../util/header-list.ts';
import type { TunnelEnd } from '../../util/tunnel-end.ts';
import type { AnswerHead, Downstream } from '../downstream.ts';
import { Base64Decoder } from './base64-decoder.ts';
import { Base64Encoder } from './base64-encoder.ts';
import { addStatus } from './grpc-answer.ts';
import { answerForm, grpcForm, withForm } from './grpc-content-type.ts';
import type { GrpcForm } from './grpc-content-type.ts';
import { requestForm } from './grpc-request.ts';
import type { GrpcRequest } from './grpc-request.ts';
import { grpcStatusOfHttp } from './grpc-status.ts';
import { MessageBoundary } from './message-boundary.ts';
import { trailersFrame } from './web-trailers.ts';

/** Fields that say how a call ended: trailers, even where a call had nothing else to say and they stand in its head. */
const statusFields: readonly string[] = ['grpc-status', 'grpc-message', 'grpc-status-details-bin'];

/**
 * Makes a request of gRPC-Web one of gRPC, in place, and returns the client's side that makes gRPC-Web of the answer;
 * undefined for all other requests.
 */
export function translateGrpcWeb(request: GrpcRequest, client: Downstream): GrpcWebDownstream | undefined {
  const form = requestForm(request);
  if (form === undefined || form === 'grpc') return undefined;
  const { headers } = request;
  const answers = answerForm(headers.get('accept'), form);
  headers.set('Content-Type', withForm(headers.get('content-type') ?? '', 'grpc'));
  headers.remove('accept');
  return new GrpcWebDownstream(client, form, answers);
}

/**
 * A client of gRPC-Web as a client of gRPC: trailers become the last frame of the body, and both bodies base64 in its text
 * form. Holds no more of a body than the rest of a quantum.
 */
export class GrpcWebDownstream implements Downstream {
  /** Of the answer. */
  readonly form: GrpcForm;
  readonly #client: Downstream;
  readonly #decoder: Base64Decoder | undefined;
  readonly #encoder: Base64Encoder | undefined;
  /** Trailers that have come with the head. */
  readonly #early = new HeaderList();
  readonly #boundary = new MessageBoundary();
  #isBegun = false;
  #httpStatus = 0;
  /** The body is no gRPC: nobody could read it. */
  #discards = false;

  constructor(client: Downstream, sent: GrpcForm, form: GrpcForm) {
    this.#client = client;
    this.form = form;
    this.#decoder = sent === 'web-text' ? new Base64Decoder() : undefined;
    this.#encoder = form === 'web-text' ? new Base64Encoder() : undefined;
  }

  /** Whether the request's body has another length than it was sent with. */
  get decodes(): boolean {
    return this.#decoder !== undefined;
  }

  /** Whether the request's body may end here. */
  get isBodyWhole(): boolean {
    return this.#decoder?.isComplete ?? true;
  }

  /** Bytes of the request's body as gRPC has them; undefined for what is not base64. */
  decode(bytes: Buffer): Buffer | undefined {
    return this.#decoder === undefined ? bytes : this.#decoder.decode(bytes);
  }

  get protocol(): Downstream['protocol'] {
    return this.#client.protocol;
  }

  get wantsTunnel(): boolean {
    return this.#client.wantsTunnel;
  }

  get hasPendingOutput(): boolean {
    return this.#client.hasPendingOutput;
  }

  get isCongested(): boolean {
    return this.#client.isCongested;
  }

  get isRequestComplete(): boolean {
    return this.#client.isRequestComplete;
  }

  informational(status: number, headers: HeaderList): void {
    this.#client.informational(status, headers);
  }

  head(answer: AnswerHead): void {
    const { headers, status } = answer;
    const contentType = headers.get('content-type') ?? '';
    this.#isBegun = true;
    this.#httpStatus = status;
    this.#discards = status !== 200 || grpcForm(contentType) !== 'grpc';
    for (const name of statusFields) {
      const value = headers.get(name);
      if (value === undefined) continue;
      this.#early.push(name, name, value);
      headers.remove(name);
    }
    headers.set('Content-Type', withForm(this.#discards ? 'application/grpc+proto' : contentType, this.form));
    this.#client.head({ ...answer, status: 200, reason: '', length: -1, bodiless: false });
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#discards) return;
    this.#boundary.consume(buffer, start, end);
    this.#write(buffer, start, end);
  }

  flush(): boolean {
    this.#pad();
    return this.#client.flush();
  }

  end(trailers: HeaderList | undefined): void {
    // Inside a message the client would take trailers for the rest of it.
    if (!this.#boundary.isBetween) {
      this.#client.abort();
      return;
    }
    const last = this.#early;
    for (let index = 0; index < (trailers?.length ?? 0); index++) {
      const name = trailers?.lower[index] ?? '';
      if (!last.has(name) || !statusFields.includes(name))
        last.push(name, name, trailers?.values[index] ?? '');
    }
    if (!last.has('grpc-status'))
      addStatus(last, grpcStatusOfHttp(this.#httpStatus), 'the server sent no status');
    const frame = trailersFrame(last);
    this.#write(frame, 0, frame.length);
    this.#pad();
    this.#client.end(undefined);
  }

  abort(trailers?: HeaderList): void {
    if (!this.#isBegun || trailers === undefined) {
      this.#client.abort();
      return;
    }
    // A status that has come with the head said how a whole answer would have ended.
    this.#early.clear();
    this.end(trailers);
  }

  holdBody(): void {
    this.#client.holdBody();
  }

  takeBody(): void {
    this.#client.takeBody();
  }

  openTunnel(head: ResponseHead, upgrade: string): TunnelEnd {
    return this.#client.openTunnel(head, upgrade);
  }

  #write(buffer: Buffer, start: number, end: number): void {
    if (this.#encoder === undefined) {
      this.#client.body(buffer, start, end);
      return;
    }
    const text = this.#encoder.encode(buffer, start, end);
    if (text.length > 0) this.#client.body(text, 0, text.length);
  }

  /** What leaves has to be readable by itself. */
  #pad(): void {
    const text = this.#encoder?.pad();
    if (text !== undefined) this.#client.body(text, 0, text.length);
  }
}
