import type { StallReason } from './reflector-events.ts';
import { isRecord } from './project-object.ts';
import { TransportError } from './transport.ts';
import type { ApiRequest } from './transport.ts';

/** Why a scope could not be read, and what that means for the next try. */
export interface ApiFailure {
  readonly stall: StallReason;
  /** The versions that a list or a watch was to go on from are gone: only reading anew helps. */
  readonly expired: boolean;
  readonly retryAfterMs: number | undefined;
}

const stallKinds: ReadonlyMap<number, StallReason['kind']> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'absent'],
]);

/** A status other than 200. `body` is a Status object of the API server, a text, or nothing. */
export function failureOfStatus(
  { method, path }: ApiRequest,
  { status, body, retryAfterMs }: { status: number; body: unknown; retryAfterMs: number | undefined },
): ApiFailure {
  const told = isRecord(body) && typeof body['message'] === 'string' ? body['message'] : body;
  const detail = typeof told === 'string' && told.trim() !== '' ? `: ${told.trim().slice(0, 500)}` : '';
  return {
    stall: {
      kind: stallKinds.get(status) ?? 'failing',
      message: `${method} ${path}: answered ${status}${detail}`,
    },
    expired: status === 410,
    retryAfterMs: retryAfterMs ?? retryAfterOf(body),
  };
}

/** A call that got no answer, or half of one. */
export function failureOfError({ method, path }: ApiRequest, error: unknown): ApiFailure {
  const known = error instanceof TransportError;
  return {
    stall: {
      kind: known && error.code === 'CREDENTIALS' ? 'unauthorized' : known ? 'unreachable' : 'failing',
      message: known ? error.message : `${method} ${path}: ${String(error)}`,
    },
    expired: false,
    retryAfterMs: undefined,
  };
}

/** The Status object of an ERROR event (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). */
export function failureOfEvent(request: ApiRequest, status: unknown): ApiFailure {
  const code = isRecord(status) && typeof status['code'] === 'number' ? status['code'] : 500;
  return failureOfStatus(request, { status: code, body: status, retryAfterMs: undefined });
}

/** `details.retryAfterSeconds` of a Status. */
function retryAfterOf(body: unknown): number | undefined {
  const details = isRecord(body) ? body['details'] : undefined;
  const seconds = isRecord(details) ? details['retryAfterSeconds'] : undefined;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 300) * 1000 : undefined;
}
