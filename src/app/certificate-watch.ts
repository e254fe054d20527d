import { X509Certificate } from 'node:crypto';

import type { ObjectChange, Snapshot } from '../model/snapshot.ts';
import type { RouteTable, TableCertificate } from '../table/route-table.ts';
import type { CertificateExpiry } from '../telemetry/metrics.ts';

const LOOK_EVERY_MS = 60_000;

export interface CertificateWatchOptions {
  table(): RouteTable;
  /** Has what refers to these Secrets compiled again, so that it says that they have expired. */
  update(snapshot: Snapshot, changed: readonly ObjectChange[]): void;
  /** Wall clock in milliseconds. */
  now(): number;
}

/** When certificates of the table end, for the metrics; and a push to the loop when one has. */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  readonly #ends = new WeakMap<TableCertificate, number>();
  #snapshot: Snapshot | undefined;
  #lookedAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
    this.#lookedAtMs = options.now();
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The newest snapshot that the loop was given. */
  seen(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  expiries(): readonly CertificateExpiry[] {
    return [...this.#options.table().certificates.values()].map((entry) => {
      const [namespace = '', secret = ''] = entry.id.split('/');
      return { namespace, secret, seconds: Math.floor(this.#endOf(entry) / 1000) };
    });
  }

  /** What has expired since the last look. */
  look(): void {
    const now = this.#options.now();
    const expired = [...this.#options.table().certificates.values()].filter((entry) => {
      const end = this.#endOf(entry);
      return end > this.#lookedAtMs && end <= now;
    });
    this.#lookedAtMs = now;
    if (expired.length === 0 || this.#snapshot === undefined) return;
    this.#options.update(
      this.#snapshot,
      expired.map(({ id }) => ({ kind: 'Secret', key: id })),
    );
  }

  #endOf(entry: TableCertificate): number {
    const known = this.#ends.get(entry);
    if (known !== undefined) return known;
    const end = new X509Certificate(entry.certificate).validToDate.getTime();
    this.#ends.set(entry, end);
    return end;
  }
}
