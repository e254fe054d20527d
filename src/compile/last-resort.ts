import type { RouteDraft } from './fragment.ts';

/**
 * The controller's own default backend, once more for every host that has routes: a host's requests never fall to the
 * routes of another host pattern, yet as in ingress-nginx this backend answers what no path of a known host matches.
 */
export class LastResort {
  #template: RouteDraft | undefined;
  /** Route → hosts that it serves. */
  readonly #hosts = new Map<string, readonly string[]>();
  /** Host → number of its routes. */
  readonly #uses = new Map<string, number>();
  /** Host → the draft that stands for the template there. */
  readonly #drafts = new Map<string, RouteDraft>();
  readonly #touched = new Set<string>();

  /** The draft for every host, or undefined while there is none. */
  set template(draft: RouteDraft | undefined) {
    this.#template = draft;
    for (const host of this.#uses.keys()) this.#touched.add(host);
  }

  /** A route now serves these hosts; none when it is gone. */
  note(id: string, hosts: readonly string[]): void {
    const before = this.#hosts.get(id) ?? [];
    if (hosts.length > 0) this.#hosts.set(id, hosts);
    else this.#hosts.delete(id);
    for (const host of hosts) this.#count(host, 1);
    for (const host of before) this.#count(host, -1);
  }

  /** Drafts that go and come since the last call. */
  takeChanges(): { readonly before: readonly RouteDraft[]; readonly after: readonly RouteDraft[] } {
    const before: RouteDraft[] = [];
    const after: RouteDraft[] = [];
    for (const host of this.#touched) {
      const old = this.#drafts.get(host);
      if (old !== undefined) before.push(old);
      this.#drafts.delete(host);
      if (this.#template === undefined || !this.#uses.has(host)) continue;
      const draft = { ...this.#template, id: `${this.#template.id}/${host}`, hosts: [host] };
      this.#drafts.set(host, draft);
      after.push(draft);
    }
    this.#touched.clear();
    return { before, after };
  }

  #count(host: string, step: 1 | -1): void {
    // The template itself serves every host that is not named.
    if (host === '') return;
    const before = this.#uses.get(host) ?? 0;
    const after = before + step;
    if (after > 0) this.#uses.set(host, after);
    else this.#uses.delete(host);
    if (before === 0 || after === 0) this.#touched.add(host);
  }
}
