import type { ReceivedRequest } from './api-request.ts';
import { statusBody } from './status-body.ts';
import type { Json, ObjectStore, StoredObject } from './object-store.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** create, update, patch (apply and merge), delete: with uniqueness, compare-and-swap and the status subresource. */
export function write(store: ObjectStore, request: ReceivedRequest): Answer {
  switch (request.verb) {
    case 'create':
      return create(store, request);
    case 'update':
      return update(store, request);
    case 'patch':
      return patch(store, request);
    default: {
      const removed = store.remove(request.place);
      return removed === undefined ? notFound(request) : { status: 200, body: removed };
    }
  }
}

let generated = 0;

function create(store: ObjectStore, { place, body }: ReceivedRequest): Answer {
  if (body === undefined) return refusal(400, 'BadRequest', 'no body');
  const metadata = (body['metadata'] ?? {}) as Json;
  const { generateName: prefix, name: given } = metadata;
  const asked = typeof given === 'string' ? given : '';
  const name = typeof prefix === 'string' ? `${prefix}${(generated++).toString(36)}` : asked;
  const at = { ...place, name };
  if (name === '') return refusal(422, 'Invalid', 'metadata.name: Required value');
  if (store.read(at) !== undefined) return refusal(409, 'AlreadyExists', `"${name}" already exists`);
  return { status: 201, body: store.write(at, body) };
}

function update(store: ObjectStore, request: ReceivedRequest): Answer {
  const { place, body, status } = request;
  const before = store.read(place);
  if (before === undefined) return notFound(request);
  if (body === undefined) return refusal(400, 'BadRequest', 'no body');
  const { resourceVersion } = (body['metadata'] ?? {}) as Json;
  if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
    return refusal(
      409,
      'Conflict',
      `Operation cannot be fulfilled on "${place.name}": the object has been modified`,
    );
  }
  return { status: 200, body: store.write(place, withStatus(before, body, status)) };
}

function patch(store: ObjectStore, request: ReceivedRequest): Answer {
  const { place, body, headers, status, query } = request;
  if (body === undefined) return refusal(400, 'BadRequest', 'no body');
  const before = store.read(place);
  const apply = headers['content-type']?.startsWith('application/apply-patch') === true;
  if (apply && query.get('fieldManager') === null)
    return refusal(400, 'BadRequest', 'fieldManager: Required value');
  if (before === undefined) {
    if (!apply || status) return notFound(request);
    return { status: 201, body: store.write(place, body) };
  }
  const { uid, resourceVersion } = (body['metadata'] ?? {}) as Json;
  if (uid !== undefined && uid !== before.metadata.uid) {
    return refusal(
      409,
      'Conflict',
      `Precondition failed: UID in precondition, UID in object meta: ${before.metadata.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
    return refusal(
      409,
      'Conflict',
      `Operation cannot be fulfilled on "${place.name}": the object has been modified`,
    );
  }
  // An apply owns what it says as a whole: what one manager no longer says of the status is gone.
  const merged = apply && status ? { ...before, status: body['status'] } : merge(before, body);
  return { status: 200, body: store.write(place, withStatus(before, merged, status)) };
}

/** Through `/status` only the status changes, past it everything else. */
function withStatus(before: StoredObject, after: Json, status: boolean): Json {
  if (status) return { ...before, status: after['status'] };
  const { status: _dropped, ...content } = after;
  return before['status'] === undefined ? content : { ...content, status: before['status'] };
}

/** RFC 7396. */
function merge(target: unknown, patchBody: Json): Json {
  const merged: Json = isJson(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patchBody)) {
    if (value === null) delete merged[key];
    else merged[key] = isJson(value) ? merge(merged[key], value) : value;
  }
  return merged;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function notFound({ plural, place }: ReceivedRequest): Answer {
  return refusal(404, 'NotFound', `${plural} "${place.name}" not found`);
}

function refusal(status: number, reason: string, message: string): Answer {
  return { status, body: statusBody(status, reason, message) };
}
