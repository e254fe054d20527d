import { describeRef, diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { TableCertificate, TableHost } from '../table/route-table.ts';
import type { TableEditor } from '../table/table-editor.ts';
import { ClaimIndex } from './claim-index.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { CertificateClaim } from './fragment.ts';
import { whyFirst } from './rank.ts';
import type { CertificateMemory } from './certificate-memory.ts';
import type { TlsPair } from './tls.ts';
import { usablePair } from './tls.ts';

/** Claims on hosts' certificates of all objects meet here: the first by rank wins, even when its Secret is unusable. */
export class CertificateStage {
  readonly #claims = new ClaimIndex<CertificateClaim>();
  /** Secret → hosts that it serves. */
  readonly #hosts = new Map<string, Set<string>>();
  readonly #diagnostics: DiagnosticIndex;
  readonly #table: TableEditor;

  readonly #memory: CertificateMemory | undefined;

  constructor(diagnostics: DiagnosticIndex, table: TableEditor, memory?: CertificateMemory) {
    this.#memory = memory;
    this.#diagnostics = diagnostics;
    this.#table = table;
  }

  replace(before: readonly CertificateClaim[], after: readonly CertificateClaim[]): void {
    for (const claim of before) this.#claims.remove(claim.host, claim);
    for (const claim of after) this.#claims.add(claim.host, claim);
  }

  /** Decides every host that was touched since the last time. */
  settle(snapshot: Snapshot): void {
    const secrets = new Set<string>();
    for (const host of this.#claims.takeTouched()) {
      const [winner, ...losers] = this.#claims.get(host);
      this.#diagnostics.replace(`certificate ${host}`, winner === undefined ? [] : judge(winner, losers));
      const secret =
        winner === undefined || this.#pair(snapshot, winner.secret) === undefined ? undefined : winner.secret;
      const before = this.#table.get('hosts', host)?.certificate;
      for (const touched of [before, secret]) if (touched !== undefined) secrets.add(touched);
      this.#move(host, before, secret);
      const entry =
        secret === undefined ? undefined : sealEntry<TableHost>('hosts', { id: host, certificate: secret });
      this.#table.edit('hosts', host, entry);
    }
    for (const id of secrets) {
      const pair = this.#hosts.has(id) ? this.#pair(snapshot, id) : undefined;
      if (pair === undefined) this.#memory?.forget(id);
      const entry =
        pair &&
        sealEntry<TableCertificate>('certificates', { id, certificate: pair.certificate, key: pair.key });
      this.#table.edit('certificates', id, entry);
    }
  }

  #pair(snapshot: Snapshot, key: string): TlsPair | undefined {
    return usablePair(key, snapshot.objects.Secret.get(key), this.#memory);
  }

  #move(host: string, before: string | undefined, after: string | undefined): void {
    if (before !== undefined) {
      const hosts = this.#hosts.get(before);
      hosts?.delete(host);
      if (hosts?.size === 0) this.#hosts.delete(before);
    }
    if (after === undefined) return;
    const hosts = this.#hosts.get(after) ?? new Set<string>();
    this.#hosts.set(after, hosts.add(host));
  }
}

/** Objects that share a host and its Secret are no conflict. */
function judge(winner: CertificateClaim, losers: readonly CertificateClaim[]): readonly Diagnostic[] {
  return losers
    .filter(({ secret }) => secret !== winner.secret)
    .map(({ object, field, host, secret, rank }) => {
      // What another namespace keeps its certificates in is not this object's to know.
      const other = winner.object.namespace === object.namespace ? `Secret "${winner.secret}"` : 'another';
      const message = `Leaving out Secret "${secret}" for host "${host}": ${describeRef(winner.object)} brings ${other} and ${whyFirst(winner.rank, rank)}`;
      return diagnose('SP3002', object, field, message);
    });
}
