import { describeRef, diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CertificateMemory } from './certificate-memory.ts';
import { ClaimIndex } from './claim-index.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { CertificateClaim } from './fragment.ts';
import { whyFirst } from './rank.ts';
import { usablePair } from './tls.ts';

/** Claims on hosts' certificates of all objects meet here: the first by rank wins, even when its Secret is unusable. */
export class CertificateClaims {
  readonly #claims = new ClaimIndex<CertificateClaim>();
  readonly #diagnostics: DiagnosticIndex;
  readonly #memory: CertificateMemory | undefined;

  constructor(diagnostics: DiagnosticIndex, memory?: CertificateMemory) {
    this.#diagnostics = diagnostics;
    this.#memory = memory;
  }

  replace(before: readonly CertificateClaim[], after: readonly CertificateClaim[]): void {
    for (const claim of before) this.#claims.remove(claim.host, claim);
    for (const claim of after) this.#claims.add(claim.host, claim);
  }

  /** Hosts whose claims changed since the last call. */
  takeTouched(): ReadonlySet<string> {
    return this.#claims.takeTouched();
  }

  /** The Secret that serves a host; undefined leaves it to the default certificate. Tells the losers. */
  decide(host: string, { objects }: Snapshot): string | undefined {
    const [winner, ...losers] = this.#claims.get(host);
    this.#diagnostics.replace(`certificate ${host}`, winner === undefined ? [] : judge(winner, losers));
    if (winner === undefined) return undefined;
    const pair = usablePair(winner.secret, objects.Secret.get(winner.secret), this.#memory);
    return pair === undefined ? undefined : winner.secret;
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
