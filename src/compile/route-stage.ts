import { quote } from '../filters/value-reader.ts';
import { diagnose, describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { RouteAction, TableRoute } from '../table/route-table.ts';
import { variantOf } from './dialect.ts';
import type { UpstreamVariant } from './dialect.ts';
import { withCanary } from './canary.ts';
import { ClaimIndex } from './claim-index.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { RouteDraft } from './fragment.ts';
import { LastResort } from './last-resort.ts';
import { withRedirect } from './https-redirect.ts';
import { whyFirst } from './rank.ts';
import { TlsHosts } from './tls-hosts.ts';

/** Where finished routes go; undefined takes one out. `variants`: what those of its upstreams that are variants are. */
export type PutRoute = (
  id: string,
  route: TableRoute | undefined,
  variants: readonly UpstreamVariant[],
) => void;

/**
 * Drafts of all objects meet here: on each host, path and set of conditions one route wins, canaries join it, and the
 * losers are told. Work follows the claims that changed, not the table.
 */
export class RouteStage {
  /** Host, path and conditions → drafts that want exactly these requests. */
  readonly #claims = new ClaimIndex<RouteDraft>();
  /** Of drafts in force, one for each of their hosts. Long strings are dear to make and to look up for the first time. */
  readonly #keys = new Map<RouteDraft, readonly string[]>();
  /** Keys of claims about which somebody is told something. */
  readonly #judged = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #diagnostics: DiagnosticIndex;
  readonly #lastResort: LastResort | undefined;
  readonly #tls = new TlsHosts();
  readonly #hosts: ClosedHosts;
  readonly #moved = new Set<RouteDraft>();

  /** `hasLastResort`: there may be a draft of the last tier. */
  constructor(diagnostics: DiagnosticIndex, hosts: ClosedHosts, hasLastResort: boolean) {
    this.#diagnostics = diagnostics;
    this.#hosts = hosts;
    this.#lastResort = hasLastResort ? new LastResort() : undefined;
  }

  replace(before: readonly RouteDraft[], after: readonly RouteDraft[]): void {
    if (this.#lastResort !== undefined && [...before, ...after].some(({ tier }) => tier === 'last'))
      [this.#lastResort.template] = after;
    this.#replace(before, after);
  }

  /** Drafts in force whose hosts may have been closed or opened for their object. */
  reconsider(drafts: readonly RouteDraft[]): void {
    for (const draft of drafts) this.#moved.add(draft);
  }

  /** Hosts that an object lists under tls, and listed before. */
  listTls(before: readonly string[], after: readonly string[]): void {
    for (const host of after) this.#tls.list(host, 1);
    for (const host of before) this.#tls.list(host, -1);
  }

  #replace(before: readonly RouteDraft[], after: readonly RouteDraft[]): void {
    for (const draft of before) {
      this.#removed.add(draft.id);
      this.#tls.remove(draft);
      for (const key of this.#keysOf(draft)) this.#claims.remove(key, draft);
      this.#keys.delete(draft);
    }
    for (const draft of after) {
      this.#removed.delete(draft.id);
      this.#tls.add(draft);
      const keys = claimKeys(draft);
      this.#keys.set(draft, keys);
      for (const key of keys) this.#claims.add(key, draft);
    }
  }

  #keysOf(draft: RouteDraft): readonly string[] {
    return this.#keys.get(draft) ?? claimKeys(draft);
  }

  /** Decides every claim that was touched since the last time. */
  settle(put: PutRoute): void {
    this.#decide(put);
    if (this.#lastResort === undefined) return;
    const { before, after } = this.#lastResort.takeChanges();
    this.#replace(before, after);
    this.#decide(put);
  }

  #decide(put: PutRoute): void {
    for (const id of this.#removed) {
      this.#lastResort?.note(id, []);
      put(id, undefined, noVariants);
    }
    this.#removed.clear();
    const concerned = new Set([...this.#tls.takeConcerned(), ...this.#moved]);
    this.#moved.clear();
    for (const key of this.#claims.takeTouched()) {
      const group = this.#claims.get(key);
      for (const draft of group) concerned.add(draft);
      this.#tell(key, judge(group, key));
    }
    for (const draft of concerned) {
      const { route, variants } = this.#build(draft);
      if (draft.tier !== 'last') this.#lastResort?.note(draft.id, route?.hosts ?? []);
      put(draft.id, route, variants);
    }
  }

  #tell(key: string, diagnostics: readonly Diagnostic[]): void {
    if (diagnostics.length > 0) this.#judged.add(key);
    else if (!this.#judged.delete(key)) return;
    this.#diagnostics.replace(`route ${key}`, diagnostics);
  }

  /** The route on those of its hosts that it won, or undefined. */
  #build(draft: RouteDraft): BuiltRoute {
    if (draft.canary !== undefined) return notBuilt;
    const groups = this.#keysOf(draft).map((key) => this.#claims.get(key));
    const hosts = draft.hosts.filter((_, index) => winnerOf(groups[index] ?? []) === draft);
    if (hosts.length === 0) return notBuilt;
    // Only Ingress routes take canaries, and they have one host each.
    const canary = canaryFor(draft, groups[0] ?? []);
    const { id, path, conditions, rank, origin, redirect } = draft;
    const redirects =
      redirect !== undefined && (!redirect.onlyWithTls || hosts.some((host) => this.#tls.has(host)));
    const filters = redirects ? withRedirect(draft.filters, redirect.filter) : draft.filters;
    // On one of its hosts is on all: a route has one answer, and requests must not fall to another route.
    const isClosed = hosts.some((host) => this.#hosts.isClosed(draft.object, host));
    const { action, variants } = isClosed
      ? closedRoute
      : canary === undefined
        ? withVariants(draft)
        : joined(draft, canary);
    const route = sealEntry<TableRoute>('routes', {
      id,
      hosts,
      path,
      ...(conditions === undefined ? {} : { conditions }),
      rank,
      filters: isClosed ? [] : filters,
      action,
      origin,
    });
    return { route, variants };
  }
}

/** Where the routes of an object must not be served. */
export interface ClosedHosts {
  isClosed(object: ObjectRef, host: string): boolean;
}

const closedRoute: Joined = { action: { kind: 'respond', code: 'SP_ROUTE_INVALID' }, variants: [] };

interface BuiltRoute {
  readonly route: TableRoute | undefined;
  readonly variants: readonly UpstreamVariant[];
}

const noVariants: readonly UpstreamVariant[] = [];
const notBuilt: BuiltRoute = { route: undefined, variants: noVariants };

function claimKeys({ hosts, path, conditions }: RouteDraft): readonly string[] {
  const rest = `${path.type} ${path.value} ${conditions === undefined ? '' : JSON.stringify(conditions)}`;
  return hosts.map((host) => `${host} ${rest}`);
}

function winnerOf(group: readonly RouteDraft[]): RouteDraft | undefined {
  return group.find(({ canary }) => canary === undefined);
}

/** A canary of another namespace could take a team's traffic away: it never joins. */
function mayJoin(main: ObjectRef, canary: ObjectRef): boolean {
  return main.kind === canary.kind && main.namespace === canary.namespace;
}

/** Only the first counts, as in ingress-nginx. */
function canaryFor(main: RouteDraft, group: readonly RouteDraft[]): RouteDraft | undefined {
  return group.find(({ canary, object }) => canary !== undefined && mayJoin(main.object, object));
}

interface Joined {
  readonly action: RouteAction;
  readonly variants: readonly UpstreamVariant[];
}

function withVariants({ action, variants = noVariants }: RouteDraft): Joined {
  return { action, variants };
}

/** The canary's backend is spoken to as the main's annotations say, which say nothing of its policy. */
function joined(main: RouteDraft, { action, canary, serverName = '' }: RouteDraft): Joined {
  const alone = withVariants(main);
  if (main.action.kind !== 'forward' || action.kind !== 'forward' || canary === undefined) return alone;
  const [backend] = action.forward.backends;
  if (backend === undefined) return alone;
  const variant = main.dialect && variantOf(backend.upstream, main.dialect, serverName);
  const upstream = variant?.id ?? backend.upstream;
  const forward = withCanary(main.action.forward, { ...backend, upstream }, canary);
  return {
    action: { kind: 'forward', forward },
    variants: variant === undefined ? alone.variants : [...alone.variants, variant],
  };
}

const noDiagnostics: readonly Diagnostic[] = [];

/** What the losers of a group are told. */
function judge(group: readonly RouteDraft[], key: string): readonly Diagnostic[] {
  const [first] = group;
  if (first === undefined || (group.length === 1 && first.canary === undefined)) return noDiagnostics;
  const host = key.slice(0, key.indexOf(' '));
  const winner = winnerOf(group);
  const canary = winner === undefined ? undefined : canaryFor(winner, group);
  return group
    .filter((draft) => draft !== winner && draft !== canary)
    .flatMap((draft) => {
      const diagnostic =
        draft.canary === undefined ? lost(draft, winner, host) : unusedCanary(draft, winner, canary);
      return diagnostic === undefined ? [] : [{ ...diagnostic, claim: { host, path: draft.path } }];
    });
}

function lost(draft: RouteDraft, winner: RouteDraft | undefined, host: string): Diagnostic | undefined {
  // What makes way by its nature is not told: an object's own `/` goes before its own default backend.
  if (winner === undefined || draft.tier === 'last') return undefined;
  if (draft.tier === 'default' && draft.object === winner.object) return undefined;
  const message = `Leaving out ${describeDraft(draft, host)}: ${describeRef(winner.object)} has it (${winner.origin.field}), ${reason(draft, winner)}`;
  return { ...diagnose('SP3001', draft.object, draft.origin.field, message), winner: winner.object };
}

function reason(draft: RouteDraft, winner: RouteDraft): string {
  if (draft.object === winner.object) return 'and comes first in the object';
  if (draft.tier !== winner.tier) return 'and an explicit path goes before a default backend';
  return `and ${whyFirst(winner.rank, draft.rank)}`;
}

function unusedCanary(
  draft: RouteDraft,
  winner: RouteDraft | undefined,
  canary: RouteDraft | undefined,
): Diagnostic {
  const place = describeDraft(draft, draft.hosts[0] ?? '');
  if (winner === undefined) {
    const message = `Leaving out the canary of ${place}: no other Ingress has this host, path and path type`;
    return diagnose('SP3003', draft.object, draft.origin.field, message);
  }
  if (!mayJoin(winner.object, draft.object)) {
    const message = `Leaving out the canary of ${place}: its main is ${describeRef(winner.object)}, want an Ingress of the same namespace`;
    return diagnose('SP3004', draft.object, draft.origin.field, message);
  }
  const other = canary === undefined ? '' : describeRef(canary.object);
  const message = `Leaving out the canary of ${place}: ${other} is the older canary of ${describeRef(winner.object)}`;
  return diagnose('SP3005', draft.object, draft.origin.field, message);
}

function describeDraft({ path, conditions }: RouteDraft, host: string): string {
  const where = host === '' ? 'every host' : `host "${host}"`;
  return `${path.type} path ${quote(path.value)} on ${where}${conditions === undefined ? '' : ' under the same conditions'}`;
}
