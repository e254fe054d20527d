import type { TlsPair } from './tls.ts';

/** What Secrets held when they were last usable: served on while they are not, as long as they exist. */
export class CertificateMemory {
  readonly #pairs = new Map<string, TlsPair>();

  note(secret: string, pair: TlsPair): void {
    this.#pairs.set(secret, pair);
  }

  last(secret: string): TlsPair | undefined {
    return this.#pairs.get(secret);
  }

  forget(secret: string): void {
    this.#pairs.delete(secret);
  }
}
