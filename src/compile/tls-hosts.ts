import type { RouteDraft } from './fragment.ts';

/** Which hosts have TLS, and which drafts depend on that. A host has it when it, or its wildcard, is listed under tls. */
export class TlsHosts {
  /** Host pattern → objects that list it. */
  readonly #listed = new Map<string, number>();
  /** Host pattern → drafts that ask whether it has TLS. */
  readonly #drafts = new Map<string, Set<RouteDraft>>();
  readonly #touched = new Set<string>();

  list(host: string, step: 1 | -1): void {
    const before = this.#listed.get(host) ?? 0;
    const after = before + step;
    if (after > 0) this.#listed.set(host, after);
    else this.#listed.delete(host);
    if (before === 0 || after === 0) this.#touched.add(host);
  }

  add(draft: RouteDraft): void {
    for (const pattern of patternsOf(draft)) {
      const drafts = this.#drafts.get(pattern);
      if (drafts === undefined) this.#drafts.set(pattern, new Set([draft]));
      else drafts.add(draft);
    }
  }

  remove(draft: RouteDraft): void {
    for (const pattern of patternsOf(draft)) {
      const drafts = this.#drafts.get(pattern);
      drafts?.delete(draft);
      if (drafts?.size === 0) this.#drafts.delete(pattern);
    }
  }

  has(host: string): boolean {
    return this.#listed.has(host) || this.#listed.has(wildcardOf(host));
  }

  /** Drafts whose hosts have gained or lost TLS since the last call. */
  takeConcerned(): readonly RouteDraft[] {
    const concerned = [...this.#touched].flatMap((host) => [...(this.#drafts.get(host) ?? [])]);
    this.#touched.clear();
    return concerned;
  }
}

function patternsOf({ hosts, redirect }: RouteDraft): readonly string[] {
  if (redirect?.onlyWithTls !== true) return [];
  return hosts.filter((host) => host !== '').flatMap((host) => [host, wildcardOf(host)]);
}

/** `a.example` → `*.example`; a wildcard is its own. */
export function wildcardOf(host: string): string {
  return `*${host.slice(Math.max(0, host.indexOf('.')))}`;
}
