import { describeRef, diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { ClientAuth } from '../table/route-table.ts';
import { ClaimIndex } from './claim-index.ts';
import { asksForTheSame } from './client-auth.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { ClientAuthClaim, RouteDraft } from './fragment.ts';
import { HostHolders } from './host-holders.ts';
import type { HostHolder } from './host-holders.ts';
import { dependencyKey } from './object-context.ts';
import { whyFirst } from './rank.ts';

/**
 * What objects ask of the clients of hosts meets here. The namespace of the oldest object that has routes on a host decides,
 * so that nobody can come to another team's host and shut its clients out; of that namespace the first claim by rank counts,
 * even when what it asks for cannot be had. Routes of an object that asks for something else would be served to clients that
 * it does not want: they are closed on that host.
 */
export class ClientAuthClaims {
  readonly #claims = new ClaimIndex<ClientAuthClaim>();
  readonly #holders = new HostHolders();
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

  /** The routes of one object. */
  replaceRoutes(before: readonly RouteDraft[], after: readonly RouteDraft[]): void {
    this.#holders.replace(before, after);
  }

  /** Hosts where the claims, or who decides between them, may have changed since the last call. */
  takeTouched(): ReadonlySet<string> {
    const touched = new Set(this.#claims.takeTouched());
    for (const host of this.#holders.takeTouched()) if (this.#claims.get(host).length > 0) touched.add(host);
    return touched;
  }

  /** What holds for a host. Tells the losers. */
  decide(host: string): ClientAuth | undefined {
    const holder = this.#holders.of(host);
    // Where nobody has a route there is nothing to ask for.
    const claims = holder === undefined ? [] : this.#claims.get(host);
    const winner = claims.find(({ object }) => object.namespace === holder?.object.namespace);
    const losers = claims.filter((claim) => claim !== winner);
    const differing = losers.filter((loser) => !isServedBeside(loser, winner));
    this.#close(host, new Set(differing.map(({ object }) => keyOf(object))));
    this.#diagnostics.replace(
      `clients ${host}`,
      losers.flatMap((loser) => judge(loser, winner, holder)),
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

/** Whether clients are held to what it asks for. */
function isServedBeside({ auth }: ClientAuthClaim, winner: ClientAuthClaim | undefined): boolean {
  return winner !== undefined && asksForTheSame(auth, winner.auth);
}

/** What the author of a claim is told that does not decide. */
function judge(
  loser: ClientAuthClaim,
  winner: ClientAuthClaim | undefined,
  holder: HostHolder | undefined,
): readonly Diagnostic[] {
  const { object, field, host, rank, auth } = loser;
  if (holder === undefined) return [];
  const isForeign = object.namespace !== holder.object.namespace;
  const isServed = isServedBeside(loser, winner);
  if (isForeign && !isServed) return [foreign(loser, winner, holder)];
  if (winner === undefined) return [];
  if (!isServed) return [other(loser, winner)];
  if (isAnsweredAlike(auth, winner.auth)) return [];
  const first = isForeign ? 'decides' : whyFirst(winner.rank, rank);
  const message = `Leaving out what is done with clients' certificates on ${describeHost(host)} beyond asking for them: ${describeRef(winner.object)} ${first}`;
  return [{ ...diagnose('SP3009', object, field, message), winner: winner.object }];
}

/** Asks for something else than an older object of its namespace. */
function other(loser: ClientAuthClaim, winner: ClientAuthClaim): Diagnostic {
  const first = `${describeRef(winner.object)} ${whyFirst(winner.rank, loser.rank)}`;
  const message = `${closing(loser)}: clients are asked for other certificates there, and ${first}`;
  return { ...diagnose('SP3008', loser.object, loser.field, message), winner: winner.object };
}

/** Asks for something on a host where another namespace decides. */
function foreign(
  loser: ClientAuthClaim,
  winner: ClientAuthClaim | undefined,
  { object: oldest }: HostHolder,
): Diagnostic {
  const asked = winner === undefined ? 'no certificates' : 'other certificates';
  const message = `${closing(loser)}: namespace "${oldest.namespace}" decides what clients are asked for there, because ${describeRef(oldest)} is the oldest object with routes there, and asks for ${asked}`;
  return { ...diagnose('SP3010', loser.object, loser.field, message), winner: oldest };
}

function closing({ object, host }: ClientAuthClaim): string {
  // A rule of a Route has one answer, on all of its hosts.
  const reach = object.kind === 'Route' ? ', and so on none of its hosts' : '';
  return `Not serving the routes of this object on ${describeHost(host)}${reach}`;
}

function describeHost(host: string): string {
  return host === '' ? 'every host' : `host "${host}"`;
}

function isAnsweredAlike(a: ClientAuth, b: ClientAuth): boolean {
  return a.errorPage === b.errorPage && a.passCertificate === b.passCertificate;
}
