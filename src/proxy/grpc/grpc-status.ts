import { errorCodes } from '../../telemetry/error-codes.ts';
import type { ErrorCodeName } from '../../telemetry/error-codes.ts';

// Statuses of gRPC, as far as answers of ours need them, and how errors become them.

export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What a client has to make of an answer that is not gRPC ("HTTP to gRPC Status Code Mapping"). */
const byHttpStatus: ReadonlyMap<number, number> = new Map([
  [400, grpcStatus.internal],
  [401, grpcStatus.unauthenticated],
  [403, grpcStatus.permissionDenied],
  [404, grpcStatus.unimplemented],
  [429, grpcStatus.unavailable],
  [502, grpcStatus.unavailable],
  [503, grpcStatus.unavailable],
  [504, grpcStatus.unavailable],
]);

/** Where the error says more than its HTTP status. */
const byErrorCode: ReadonlyMap<ErrorCodeName, number> = new Map([
  ['SP_BODY_TOO_LARGE', grpcStatus.resourceExhausted],
  ['SP_HEAD_TOO_LARGE', grpcStatus.resourceExhausted],
  ['SP_METHOD_NOT_ALLOWED', grpcStatus.unimplemented],
  ['SP_NOT_IMPLEMENTED', grpcStatus.unimplemented],
  ['SP_INTERNAL', grpcStatus.internal],
]);

/** Times that may run out because the client's own deadline has. */
const timeouts: ReadonlySet<ErrorCodeName> = new Set([
  'SP_REQUEST_TIMEOUT',
  'SP_UPSTREAM_TIMEOUT',
  'SP_UPSTREAM_CONNECT_TIMEOUT',
]);

export function grpcStatusOfHttp(status: number): number {
  return byHttpStatus.get(status) ?? grpcStatus.unknown;
}

/** `hasDeadline`: the client said how long it waits (grpc-timeout). */
export function grpcStatusOfError(code: ErrorCodeName, hasDeadline: boolean): number {
  if (hasDeadline && timeouts.has(code)) return grpcStatus.deadlineExceeded;
  return byErrorCode.get(code) ?? grpcStatusOfHttp(errorCodes[code].status);
}
