import { TransportError } from '../../src/kube/transport.ts';
import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../../src/kube/transport.ts';
import type { SimulatedTime } from './simulated-time.ts';

type Json = Record<string, unknown>;

interface StoredObject extends Json {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string } & Json;
}

/** What becomes of one call on its way. Times in simulated milliseconds. */
export interface Journey {
  readonly thereMs?: number;
  readonly backMs?: number;
  /** `request`: it never arrives. `answer`: it is carried out and nobody hears of it. */
  readonly lost?: 'request' | 'answer';
  /** In place of what the server would say. */
  readonly answer?: ApiResponse;
}

/**
 * An API server's storage in memory, as far as elections, status and Events need it: create, read, replace with
 * compare-and-swap, merge patch, and apply of `.status` with a uid to match. Status is replaced as a whole by an apply.
 */
export class MemoryApi {
  readonly objects = new Map<string, StoredObject>();
  /** Every call that arrived: `PATCH /apis/…`. */
  readonly calls: {
    readonly atMs: number;
    readonly method: string;
    readonly path: string;
    readonly body: unknown;
  }[] = [];
  readonly #time: SimulatedTime;
  #version = 0;

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  put(path: string, object: Json): void {
    const { metadata = {} } = object as { metadata?: Json };
    const resourceVersion = String(++this.#version);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const stored = { uid: `uid-${resourceVersion}`, name, ...metadata, resourceVersion };
    this.objects.set(path, { ...object, metadata: stored });
  }

  handle({ method, path, body }: ApiRequest): ApiResponse {
    this.calls.push({ atMs: this.#time.nowMs, method, path, body });
    const place = path.replace(/\/status$/, '');
    const found = this.objects.get(place);
    if (method === 'POST') return this.#create(path, body as Json);
    if (found === undefined) return answer(404, { reason: 'NotFound' });
    if (method === 'GET') return answer(200, found);
    if (method === 'DELETE') {
      this.objects.delete(place);
      return answer(200, found);
    }
    const { metadata } = body as { metadata?: Json };
    const { uid, resourceVersion } = metadata ?? {};
    if (uid !== undefined && uid !== found.metadata.uid) return answer(409, { reason: 'Conflict' });
    if (method === 'PUT' && resourceVersion !== found.metadata.resourceVersion) {
      return answer(409, { reason: 'Conflict' });
    }
    if (place !== path && isEmptyStatus(body as Json)) return answer(422, { reason: 'Invalid' });
    const changed =
      method === 'PUT' ? (body as Json) : { ...withoutStatus(found, place !== path), ...(body as Json) };
    this.put(place, { ...changed, metadata: { ...found.metadata } });
    return answer(200, this.objects.get(place));
  }

  /** A connection to it; `journey` decides over each call. */
  transport(journey: (request: ApiRequest) => Journey = () => ({})): Transport {
    return {
      request: (request) => this.#travel(request, journey(request)),
      stream: (): Promise<ApiStream> => Promise.reject(new TransportError('UNREACHABLE', 'no streams here')),
      close: () => Promise.resolve(),
    };
  }

  #travel(request: ApiRequest, journey: Journey): Promise<ApiResponse> {
    const { thereMs = 0, backMs = 0, lost } = journey;
    const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
    const { signal } = request;
    const cancel = this.#time.at(this.#time.nowMs + (request.timeoutMs ?? 30_000), () =>
      reject(new TransportError('TIMEOUT', 'no answer in time')),
    );
    const aborted = (): void => reject(new TransportError('ABORTED', 'aborted'));
    signal?.addEventListener('abort', aborted);
    if (signal?.aborted === true) aborted();
    if (lost !== 'request') {
      this.#time.at(this.#time.nowMs + thereMs, () => {
        const result = journey.answer ?? this.handle(request);
        if (lost !== 'answer')
          this.#time.at(this.#time.nowMs + backMs, () => resolve(structuredClone(result)));
      });
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', aborted);
    };
    return promise.finally(done);
  }

  #create(path: string, body: Json): ApiResponse {
    const { metadata } = body as { metadata: { name: string } };
    const place = `${path}/${metadata.name}`;
    if (this.objects.has(place)) return answer(409, { reason: 'AlreadyExists' });
    this.put(place, body);
    return answer(201, this.objects.get(place));
  }
}

/** Of which a real one makes null, when it is of a custom resource and nobody else has fields in it. */
function isEmptyStatus({ status }: Json): boolean {
  return status !== undefined && JSON.stringify(status) === '{}';
}

function withoutStatus(object: Json, isStatus: boolean): Json {
  return isStatus ? { ...object, status: undefined } : object;
}

export function answer(status: number, body: unknown, retryAfterMs?: number): ApiResponse {
  return { status, body, retryAfterMs };
}
