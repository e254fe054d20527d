import type { Snapshot } from '../model/snapshot.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { TableHost } from '../table/route-table.ts';
import type { TableEditor } from '../table/table-editor.ts';
import { CertificateClaims } from './certificate-claims.ts';
import type { CertificateMemory } from './certificate-memory.ts';
import type { CredentialStage } from './credential-stage.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { Fragment } from './fragment.ts';

/** Hosts that have something of their own: a certificate. Each is decided by the claims of all objects. */
export class HostStage {
  readonly #certificates: CertificateClaims;
  readonly #credentials: CredentialStage;
  readonly #table: TableEditor;

  constructor(
    diagnostics: DiagnosticIndex,
    credentials: CredentialStage,
    table: TableEditor,
    memory?: CertificateMemory,
  ) {
    this.#certificates = new CertificateClaims(diagnostics, memory);
    this.#credentials = credentials;
    this.#table = table;
  }

  replace(before: Pick<Fragment, 'certificates'>, after: Pick<Fragment, 'certificates'>): void {
    this.#certificates.replace(before.certificates, after.certificates);
  }

  /** Decides every host that was touched since the last time. */
  settle(snapshot: Snapshot): void {
    for (const host of this.#certificates.takeTouched()) {
      const before = this.#table.get('hosts', host);
      const certificate = this.#certificates.decide(host, snapshot);
      const after =
        certificate === undefined ? undefined : sealEntry<TableHost>('hosts', { id: host, certificate });
      this.#credentials.replaceHost(before, after);
      this.#table.edit('hosts', host, after);
    }
  }
}
