import type { Snapshot } from '../model/snapshot.ts';
import type { TableHost, TableUpstream } from '../table/route-table.ts';
import type { TableEditor } from '../table/table-editor.ts';
import { readAuthority } from './authority.ts';
import type { CertificateMemory } from './certificate-memory.ts';
import { certificateEntry } from './credentials.ts';
import { usablePair } from './tls.ts';

type Part = 'certificates' | 'authorities';

const CONFIG_MAP = 'ConfigMap/';

/** Certificates and authorities: those that some host or upstream of the table refers to, no others. */
export class CredentialStage {
  /** Part → id → number of entries that refer to it. */
  readonly #uses = { certificates: new Map<string, number>(), authorities: new Map<string, number>() };
  readonly #touched = { certificates: new Set<string>(), authorities: new Set<string>() };
  readonly #table: TableEditor;
  readonly #memory: CertificateMemory | undefined;

  constructor(table: TableEditor, memory?: CertificateMemory) {
    this.#table = table;
    this.#memory = memory;
  }

  /** An entry of the table is about to be replaced. */
  replaceHost(before: TableHost | undefined, after: TableHost | undefined): void {
    this.#use('certificates', before?.certificate, after?.certificate);
    this.#use('authorities', before?.clientAuth?.authority?.id, after?.clientAuth?.authority?.id);
  }

  /** As `replaceHost`. */
  replaceUpstream(before: TableUpstream | undefined, after: TableUpstream | undefined): void {
    this.#use('certificates', before?.tls?.certificate?.id, after?.tls?.certificate?.id);
    this.#use('authorities', before?.tls?.authority?.id, after?.tls?.authority?.id);
  }

  /** Writes everything that was touched since the last time. */
  settle({ objects }: Snapshot): void {
    for (const id of this.#touched.certificates) {
      const used = this.#uses.certificates.has(id);
      const pair = used ? usablePair(id, objects.Secret.get(id), this.#memory) : undefined;
      if (pair === undefined) this.#memory?.forget(id);
      this.#table.edit('certificates', id, pair && certificateEntry(id, pair));
    }
    for (const id of this.#touched.authorities) {
      const holder = id.startsWith(CONFIG_MAP)
        ? objects.ConfigMap.get(id.slice(CONFIG_MAP.length))
        : objects.Secret.get(id);
      const used = this.#uses.authorities.has(id);
      const authority = used && holder !== undefined ? readAuthority(holder) : undefined;
      this.#table.edit('authorities', id, typeof authority === 'string' ? undefined : authority);
    }
    this.#touched.certificates.clear();
    this.#touched.authorities.clear();
  }

  /** Both are touched even when they are the same: what it holds may have changed. */
  #use(part: Part, before: string | undefined, after: string | undefined): void {
    if (after !== undefined) this.#count(part, after, 1);
    if (before !== undefined) this.#count(part, before, -1);
  }

  #count(part: Part, id: string, step: 1 | -1): void {
    const uses = this.#uses[part];
    const count = (uses.get(id) ?? 0) + step;
    if (count > 0) uses.set(id, count);
    else uses.delete(id);
    this.#touched[part].add(id);
  }
}
