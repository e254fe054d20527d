import { readFile } from 'node:fs/promises';

import { TransportError } from './transport.ts';

/** A file that is replaced under our feet is noticed this late at most. */
const recheckMs = 10_000;

/** Small files that others rewrite: tokens, certificates, keys. Read on demand, again after a while. */
export class WatchedFiles {
  readonly #now: () => number;
  readonly #texts = new Map<string, { readonly text: string; readonly readMs: number }>();

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * The text of the file as it is, or was a few seconds ago. One that cannot be read any more keeps its last text until
   * `forget`: who rotates it may be in the middle of it.
   *
   * @throws TransportError with code CREDENTIALS, when it was never read
   */
  async read(path: string, what: string): Promise<string> {
    const known = this.#texts.get(path);
    const now = this.#now();
    if (known !== undefined && now - known.readMs < recheckMs) return known.text;
    try {
      const text = await readFile(path, 'utf8');
      this.#texts.set(path, { text, readMs: now });
      return text;
    } catch (cause) {
      if (known !== undefined) return known.text;
      const { message } = cause as Error;
      throw new TransportError('CREDENTIALS', `Read the ${what} "${path}": ${message}`, { cause });
    }
  }

  forget(): void {
    this.#texts.clear();
  }
}
