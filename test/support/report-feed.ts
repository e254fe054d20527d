import { diagnose } from '../../src/diagnostics/diagnostic.ts';
import type { DiagnosticCode } from '../../src/diagnostics/catalogue.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { objectConditions } from '../../src/diagnostics/object-conditions.ts';
import type { PublishedAddress, PublishedAddresses } from '../../src/kube/publish-address.ts';
import type { ObjectReport, ReportedKind, ReportedObject, StatusFeed } from '../../src/kube/status-feed.ts';

/** Reports as a test wants them. */
export class ReportFeed implements StatusFeed {
  readonly #reports = new Map<string, ObjectReport>();

  report(kind: ReportedKind, key: string): ObjectReport | undefined {
    return this.#reports.get(`${kind}/${key}`);
  }

  reports(): Iterable<ObjectReport> {
    return this.#reports.values();
  }

  /** Says something of `Kind/namespace/name`; returns it as a change. */
  say(id: string, changes: Partial<ObjectReport> = {}): readonly ReportedObject[] {
    const slash = id.indexOf('/');
    const kind = id.slice(0, slash) as ReportedKind;
    const key = id.slice(slash + 1);
    const diagnostics = changes.diagnostics ?? [];
    this.#reports.set(id, {
      kind,
      key,
      uid: `uid-${key}`,
      observedGeneration: 1,
      owned: true,
      conditions: objectConditions(diagnostics, { kind: 'live', closed: [] }),
      diagnostics,
      ...changes,
    });
    return [{ kind, key }];
  }

  drop(kind: ReportedKind, key: string): readonly ReportedObject[] {
    this.#reports.delete(`${kind}/${key}`);
    return [{ kind, key }];
  }
}

/** A finding about `Kind/namespace/name`. */
export function finding(id: string, message: string, code: DiagnosticCode = 'SP2101'): Diagnostic {
  const [kind = '', namespace = '', name = ''] = id.split('/');
  return diagnose(code, { kind, namespace, name }, 'spec', message);
}

/** Addresses that a test changes. */
export class ManualAddresses implements PublishedAddresses {
  readonly #listeners: (() => void)[] = [];
  #addresses: readonly PublishedAddress[] | undefined;

  constructor(addresses?: readonly PublishedAddress[]) {
    this.#addresses = addresses;
  }

  current(): readonly PublishedAddress[] | undefined {
    return this.#addresses;
  }

  set(addresses: readonly PublishedAddress[] | undefined): void {
    this.#addresses = addresses;
    for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    // Known from the beginning.
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
