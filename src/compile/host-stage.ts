import type { ObjectRef } from '../diagnostics/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { TableHost } from '../table/route-table.ts';
import type { TableEditor } from '../table/table-editor.ts';
import { CertificateClaims } from './certificate-claims.ts';
import type { CertificateMemory } from './certificate-memory.ts';
import { ClientAuthClaims } from './client-auth-claims.ts';
import type { CredentialStage } from './credential-stage.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { Fragment } from './fragment.ts';

type HostClaims = Pick<Fragment, 'certificates' | 'clientAuth' | 'routes'>;

/** Hosts that have something of their own: a certificate, or clients that have to show one. Claims of all objects decide. */
export class HostStage {
  readonly #certificates: CertificateClaims;
  readonly #clientAuth: ClientAuthClaims;
  readonly #credentials: CredentialStage;
  readonly #table: TableEditor;

  constructor(
    diagnostics: DiagnosticIndex,
    credentials: CredentialStage,
    table: TableEditor,
    memory?: CertificateMemory,
  ) {
    this.#certificates = new CertificateClaims(diagnostics, memory);
    this.#clientAuth = new ClientAuthClaims(diagnostics);
    this.#credentials = credentials;
    this.#table = table;
  }

  replace(before: HostClaims, after: HostClaims): void {
    this.#certificates.replace(before.certificates, after.certificates);
    this.#clientAuth.replace(before.clientAuth, after.clientAuth);
    this.#clientAuth.replaceRoutes(before.routes, after.routes);
  }

  /** Decides every host that was touched since the last time. Returns keys of objects for which `isClosed` changed. */
  settle(snapshot: Snapshot): ReadonlySet<string> {
    for (const host of this.#certificates.takeTouched().union(this.#clientAuth.takeTouched())) {
      const before = this.#table.get('hosts', host);
      const after = this.#decide(host, snapshot);
      this.#credentials.replaceHost(before, after);
      this.#table.edit('hosts', host, after);
    }
    return this.#clientAuth.takeMoved();
  }

  /** Whether an object's routes must not be served on a host, because its clients are asked for what another object wants. */
  isClosed(object: ObjectRef, host: string): boolean {
    return this.#clientAuth.isClosed(object, host);
  }

  #decide(host: string, snapshot: Snapshot): TableHost | undefined {
    const certificate = this.#certificates.decide(host, snapshot);
    const clientAuth = this.#clientAuth.decide(host);
    if (certificate === undefined && clientAuth === undefined) return undefined;
    return sealEntry<TableHost>('hosts', {
      id: host,
      ...(certificate === undefined ? {} : { certificate }),
      ...(clientAuth === undefined ? {} : { clientAuth }),
    });
  }
}
