import { normalizeAuthority } from './normalise.ts';
import type { AuthorityTarget } from './normalise.ts';

/**
 * The authority that was asked for last, with its canonical form: most requests of a connection ask for the same one. Its
 * texts are then the same strings as before, which makes them cheap to look up and compare.
 */
export class KnownAuthority implements AuthorityTarget {
  readonly scheme: 'http' | 'https';
  host = '';
  port = 0;
  authority = '';
  #text: string | undefined;
  /** Whether the texts are no pieces of a head, which would be kept in memory as a whole. */
  #isOwn = false;

  constructor(scheme: 'http' | 'https') {
    this.scheme = scheme;
  }

  /** As `normalizeAuthority`. */
  read(text: string, into: AuthorityTarget): boolean {
    const isKnown = text === this.#text;
    if (!isKnown || !this.#isOwn) {
      // Worth a copy from the second time on; the first time, whoever reads heads keeps this one anyway.
      const own = isKnown ? Buffer.from(text, 'latin1').toString('latin1') : text;
      if (!normalizeAuthority(own, this)) return false;
      this.#text = own;
      this.#isOwn = isKnown;
    }
    into.host = this.host;
    into.port = this.port;
    into.authority = this.authority;
    return true;
  }
}
