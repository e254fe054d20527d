import type { RouteTable } from '../table/route-table.ts';

interface ClosedRoute {
  readonly digest: string;
  /** `kind/namespace/name` of the object that it came from. */
  readonly object: string;
  readonly text: string;
}

/**
 * Routes that answer 503 because a filter of theirs could not be built, by object. A worker tells of a route when it links
 * it, which is once: what was told stays true until the route changes.
 */
export class ClosedRoutes {
  readonly #byId = new Map<string, ClosedRoute>();
  readonly #byObject = new Map<string, Set<string>>();

  /** Takes what came of a table that is live. Returns the objects of which something else is true now. */
  linked(
    table: RouteTable,
    closed: readonly { readonly id: string; readonly message: string }[],
  ): Set<string> {
    const touched = new Set<string>();
    for (const [id, known] of this.#byId) {
      if (table.routes.get(id)?.digest === known.digest) continue;
      this.#byId.delete(id);
      this.#byObject.get(known.object)?.delete(id);
      touched.add(known.object);
    }
    for (const { id, message } of closed) {
      const route = table.routes.get(id);
      if (route === undefined) continue;
      const { kind, namespace, name, field } = route.origin;
      const object = `${kind}/${namespace}/${name}`;
      this.#byId.set(id, { digest: route.digest, object, text: `${field}: ${message}` });
      this.#byObject.set(object, (this.#byObject.get(object) ?? new Set()).add(id));
      touched.add(object);
    }
    for (const object of touched) if (this.#byObject.get(object)?.size === 0) this.#byObject.delete(object);
    return touched;
  }

  /** Why routes of an object are closed, in the order of their ids. */
  of(object: string): readonly string[] {
    const ids = this.#byObject.get(object);
    if (ids === undefined) return [];
    return [...ids].toSorted().map((id) => this.#byId.get(id)?.text ?? '');
  }
}
