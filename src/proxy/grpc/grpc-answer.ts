import type { ErrorCodeName } from '../../telemetry/error-codes.ts';
import { errorCodes } from '../../telemetry/error-codes.ts';
import { HeaderList } from '../../util/header-list.ts';
import { answerForm, withForm } from './grpc-content-type.ts';
import type { GrpcForm } from './grpc-content-type.ts';
import { encodeGrpcMessage } from './grpc-message.ts';
import { grpcStatusOfError, grpcStatusOfHttp } from './grpc-status.ts';
import { requestForm } from './grpc-request.ts';
import type { GrpcRequest } from './grpc-request.ts';
import { trailersFrame } from './web-trailers.ts';

// Answers that are made here, for clients that speak gRPC or gRPC-Web: they look for a status of gRPC, not of HTTP. In comes
// what any other client would get; out goes what a server of gRPC would have said. Knows no connections and no routes.

/** An answer as other clients get it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
  /** Why it is one of ours, where it is an error. */
  readonly error: ErrorCodeName | undefined;
}

const NO_BYTES = Buffer.alloc(0);
const MAX_MESSAGE_LENGTH = 256;

/**
 * Turns an answer into one of gRPC with HTTP status 200: changes its headers and returns its body. For gRPC that is empty:
 * headers that end the answer are trailers too ("Trailers-Only"). In gRPC-Web trailers stand in the body, where scripts
 * can read them whatever headers they may see. Undefined when the request is not of gRPC: the answer stays as it is.
 * `form`: of the answer, where it is not told by the request any more.
 */
export function grpcAnswer(request: GrpcRequest, answer: HttpAnswer, form?: GrpcForm): Buffer | undefined {
  const sent = requestForm(request);
  if (sent === undefined) return undefined;
  const { headers } = answer;
  const inForm = form ?? (sent === 'grpc' ? sent : answerForm(request.headers.get('accept'), sent));
  headers.set('Content-Type', withForm(request.headers.get('content-type') ?? '', inForm));
  headers.remove('location');
  if (inForm === 'grpc') {
    addStatus(headers, statusOf(request, answer), messageOf(answer));
    return NO_BYTES;
  }
  const trailers = new HeaderList();
  addStatus(trailers, statusOf(request, answer), messageOf(answer));
  const frame = trailersFrame(trailers);
  return inForm === 'web' ? frame : Buffer.from(frame.toString('base64'), 'latin1');
}

/**
 * Trailers that end an answer which had begun and cannot be completed; undefined where the client does not speak gRPC, or
 * cannot be told anything any more. Never those of a success.
 */
export function cutTrailers(request: GrpcRequest, code: ErrorCodeName): HeaderList | undefined {
  const { status, text } = errorCodes[code];
  if (status === 0 || requestForm(request) === undefined) return undefined;
  const trailers = new HeaderList();
  addStatus(trailers, grpcStatusOfError(code, request.headers.has('grpc-timeout')), text);
  return trailers;
}

export function addStatus(fields: HeaderList, status: number, message: string): void {
  fields.push('grpc-status', 'grpc-status', String(status));
  if (message !== '') fields.push('grpc-message', 'grpc-message', encodeGrpcMessage(message));
}

function statusOf({ headers }: GrpcRequest, { status, error }: HttpAnswer): number {
  return error === undefined
    ? grpcStatusOfHttp(status)
    : grpcStatusOfError(error, headers.has('grpc-timeout'));
}

function messageOf({ status, text }: HttpAnswer): string {
  return text.slice(0, MAX_MESSAGE_LENGTH).trim() || `HTTP status ${status}`;
}
