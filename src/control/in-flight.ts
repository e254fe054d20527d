import type { Snapshot } from '../model/snapshot.ts';
import type { TableContent } from '../table/table-editor.ts';

/** A compilation that the workers have not answered yet. */
export interface Flight {
  readonly table: TableContent;
  readonly snapshot: Snapshot;
  /** Objects that it says something new of. */
  readonly keys: ReadonlySet<string>;
  /** Ends the wait for it. */
  readonly cancel: (() => void) | undefined;
}

/** Compilations on their way to the workers, oldest first. */
export class InFlight {
  #flights: Flight[] = [];

  add(flight: Flight): void {
    this.#flights.push(flight);
  }

  /** Whether something newer is under way for this object. */
  has(key: string): boolean {
    return this.#flights.some(({ keys }) => keys.has(key));
  }

  keysOf(snapshot: Snapshot): ReadonlySet<string> {
    return this.#flights.findLast((flight) => flight.snapshot === snapshot)?.keys ?? new Set();
  }

  /** Ends the flights up to the last that `which` holds for, none if there is no such; their objects that no later one concerns. */
  takeThrough(which: (flight: Flight) => boolean): Set<string> {
    const taken = this.#flights.splice(0, this.#flights.findLastIndex(which) + 1);
    const keys = new Set<string>();
    for (const flight of taken) {
      flight.cancel?.();
      for (const key of flight.keys) if (!this.has(key)) keys.add(key);
    }
    return keys;
  }

  clear(): void {
    for (const { cancel } of this.#flights) cancel?.();
    this.#flights = [];
  }
}

/** Whether two tables are one and the same result of a compilation, not merely alike. */
export function sameContent(a: TableContent, b: TableContent): boolean {
  return (
    a.routes === b.routes &&
    a.hosts === b.hosts &&
    a.upstreams === b.upstreams &&
    a.endpoints === b.endpoints &&
    a.certificates === b.certificates &&
    a.authorities === b.authorities
  );
}
