import { describeRef, diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { ClientAuth } from '../table/route-table.ts';
import { ClaimIndex } from './claim-index.ts';
import { asksForTheSame } from './client-auth.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { ClientAuthClaim } from './fragment.ts';
import { dependencyKey } from './object-context.ts';
import { whyFirst } from './rank.ts';

/**
 * What objects ask of the clients of hosts meets here: for each host the first by rank decides, even when what it asks for
 * cannot be had. Routes of an object that asks for something else would be served to clients that it does not want: they are
 * closed on that host.
 */
export class ClientAuthClaims {
  readonly #claims = new ClaimIndex<ClientAuthClaim>();
  /** Host → keys of objects whose routes are closed there. */
  readonly #closed = new Map<string, ReadonlySet<string>>();
  #moved = new Set<string>();
  readonly #diagnostics: DiagnosticIndex;

  constructor(diagnostics: DiagnosticIndex) {
    this.#diagnostics = diagnostics;
  }

  replace(before: readonly ClientAuthClaim[], after: readonly ClientAuthClaim[]): void {
    for (const claim of before) this.#claims.remove(claim.host, claim);
    for (const claim of after) this.#claims.add(claim.host, claim);
  }

  /** Hosts whose claims changed since the last call. */
  takeTouched(): ReadonlySet<string> {
    return this.#claims.takeTouched();
  }

  /** What holds for a host. Tells the losers. */
  decide(host: string): ClientAuth | undefined {
    const [winner, ...losers] = this.#claims.get(host);
    const differing = losers.filter(({ auth }) => winner !== undefined && !asksForTheSame(auth, winner.auth));
    this.#close(host, new Set(differing.map(({ object }) => keyOf(object))));
    this.#diagnostics.replace(
      `clients ${host}`,
      winner === undefined ? [] : losers.flatMap((loser) => judge(winner, loser)),
    );
    return winner?.auth;
  }

  /** Whether an object's routes must not be served on a host. */
  isClosed(object: ObjectRef, host: string): boolean {
    return this.#closed.size > 0 && this.#closed.get(host)?.has(keyOf(object)) === true;
  }

  /** Keys of objects that were closed or opened somewhere since the last call. */
  takeMoved(): ReadonlySet<string> {
    const moved = this.#moved;
    this.#moved = new Set();
    return moved;
  }

  #close(host: string, objects: ReadonlySet<string>): void {
    const before = this.#closed.get(host) ?? new Set<string>();
    for (const object of before.symmetricDifference(objects)) this.#moved.add(object);
    if (objects.size > 0) this.#closed.set(host, objects);
    else this.#closed.delete(host);
  }
}

function keyOf({ kind, namespace, name }: ObjectRef): string {
  return dependencyKey(kind as 'Ingress', `${namespace}/${name}`);
}

function judge(winner: ClientAuthClaim, loser: ClientAuthClaim): readonly Diagnostic[] {
  const { object, field, host, rank, auth } = loser;
  const first = `${describeRef(winner.object)} ${whyFirst(winner.rank, rank)}`;
  const where = host === '' ? 'every host' : `host "${host}"`;
  if (!asksForTheSame(auth, winner.auth)) {
    // A rule of a Route has one answer, on all of its hosts.
    const reach = object.kind === 'Route' ? ', and so on none of its hosts' : '';
    const message = `Not serving the routes of this object on ${where}${reach}: clients are asked for other certificates there, and ${first}`;
    return [{ ...diagnose('SP3008', object, field, message), winner: winner.object }];
  }
  const isSame =
    auth.errorPage === winner.auth.errorPage && auth.passCertificate === winner.auth.passCertificate;
  if (isSame) return [];
  const message = `Leaving out what is done with clients' certificates on ${where} beyond asking for them: ${first}`;
  return [{ ...diagnose('SP3009', object, field, message), winner: winner.object }];
}
