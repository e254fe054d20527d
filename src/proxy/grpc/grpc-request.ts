import type { HeaderList } from '../../util/header-list.ts';
import { grpcForm } from './grpc-content-type.ts';
import type { GrpcForm } from './grpc-content-type.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';

/** What is looked at of a request. */
export interface GrpcRequest {
  readonly method: string;
  readonly headers: HeaderList;
}

/** The form of gRPC that a request comes in, undefined for everything else. Calls are POST requests. */
export function requestForm({ method, headers }: GrpcRequest): GrpcForm | undefined {
  return method === 'POST' ? grpcForm(headers.get('content-type')) : undefined;
}

/** Milliseconds that the client of a call waits, 0 for ever; undefined when what it says cannot be read. */
export function callLimitMs(request: GrpcRequest): number | undefined {
  if (requestForm(request) === undefined) return 0;
  const timeout = request.headers.get('grpc-timeout');
  return timeout === undefined ? 0 : parseGrpcTimeout(timeout);
}

/** Servers of gRPC look for proof that everything on the way passes trailers on. */
export function askForTrailers(headers: HeaderList): void {
  if (!headers.has('te')) headers.push('TE', 'te', 'trailers');
}
