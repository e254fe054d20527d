import type { ReceivedRequest } from './api-request.ts';
import { selectedName } from './api-request.ts';
import type { Json, ObjectStore, StoredObject } from './object-store.ts';
import { statusBody } from './status-body.ts';

interface Rest {
  readonly version: number;
  readonly items: readonly StoredObject[];
}

/** Pages of lists, each of the state at its first page, until the store forgets that state. */
export class ListPager {
  readonly #store: ObjectStore;
  readonly #rests = new Map<string, Rest>();
  #tokens = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  list(request: ReceivedRequest): { readonly status: number; readonly body: unknown } {
    const { query } = request;
    const token = query.get('continue') ?? '';
    const rest = token === '' ? this.#everything(request) : this.#rests.get(token);
    if (rest === undefined || (token !== '' && rest.version < this.#store.compactedTo)) {
      const message = 'The provided continue parameter is too old to display a consistent list result';
      return { status: 410, body: statusBody(410, 'Expired', message) };
    }
    const limit = Number(query.get('limit') ?? '0') || rest.items.length;
    const next = rest.items.length > limit ? `page-${++this.#tokens}` : '';
    if (next !== '') this.#rests.set(next, { ...rest, items: rest.items.slice(limit) });
    const metadata: Json = {
      resourceVersion: String(rest.version),
      ...(next === '' ? {} : { continue: next }),
    };
    // Items of a typed list do not say what they are.
    const items = rest.items.slice(0, limit).map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    return { status: 200, body: { kind: 'List', apiVersion: 'v1', metadata, items } };
  }

  #everything({ place, query }: ReceivedRequest): Rest {
    const name = selectedName(query);
    const all = this.#store.list(place.collection, place.namespace);
    const items = name === undefined ? all : all.filter(({ metadata }) => metadata.name === name);
    return { version: this.#store.version, items };
  }
}
