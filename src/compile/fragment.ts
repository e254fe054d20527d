import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { ClientAuth, Retry, TableRoute, TableUpstream, Timeouts } from '../table/route-table.ts';
import type { DialectWish, UpstreamVariant } from './dialect.ts';
import type { RedirectWish } from './https-redirect.ts';
import type { CanarySplit } from './canary.ts';

/**
 * What one object compiles to on its own, before it meets the others. It depends on the object, on the options and on
 * what `reads` names; nothing else.
 */
export interface Fragment {
  readonly object: ObjectRef;
  /** Whether the object is this controller's to serve and to report on: its class and its namespace are ours. */
  readonly owned: boolean;
  readonly routes: readonly RouteDraft[];
  readonly certificates: readonly CertificateClaim[];
  readonly clientAuth: readonly ClientAuthClaim[];
  /** Hosts that the object lists under tls, whether their certificates can be had or not. */
  readonly tlsHosts: readonly string[];
  readonly policies: readonly PolicyClaim[];
  readonly overrides: readonly PolicyOverride[];
  readonly diagnostics: readonly Diagnostic[];
  /** Keys (see `dependencyKey`) of all objects that were looked up, found or not. */
  readonly reads: ReadonlySet<string>;
}

/** A route that an object asks for. It goes live on those of its hosts where nobody with a lesser rank asks for the same. */
export interface RouteDraft extends Omit<TableRoute, 'digest'> {
  readonly object: ObjectRef;
  readonly tier: RouteTier;
  /** Present when plain HTTP is to be sent to HTTPS. */
  readonly redirect?: RedirectWish;
  /** Present for canaries: they claim nothing and join the winner instead. */
  readonly canary?: CanarySplit;
  /** Upstreams among the backends that are variants. */
  readonly variants?: readonly UpstreamVariant[];
  /** How the object asks its backends to be spoken to; canaries that join are spoken to alike. */
  readonly dialect?: DialectWish;
  /** Of canaries: what certificates of their endpoints are for. */
  readonly serverName?: string;
}

/** Explicit paths go before the default backends of Ingresses, those before the controller's own. */
export type RouteTier = 'explicit' | 'default' | 'last';

/** A host's certificate; the claim with the least rank wins. */
export interface CertificateClaim {
  readonly host: string;
  readonly rank: string;
  readonly object: ObjectRef;
  readonly field: string;
  /** `namespace/name`. */
  readonly secret: string;
}

/** What clients of a host have to show; the claim with the least rank wins. */
export interface ClientAuthClaim {
  readonly host: string;
  readonly rank: string;
  readonly object: ObjectRef;
  readonly field: string;
  readonly auth: ClientAuth;
}

/** Settings for all upstreams of one Service. */
export interface PolicyClaim {
  /** `namespace/name`. */
  readonly service: string;
  readonly rank: string;
  readonly object: ObjectRef;
  readonly field: string;
  readonly settings: UpstreamSettings;
  /** Which of the settings that objects may go before the policy sets itself. */
  readonly sets: { readonly protocol: boolean; readonly tls: boolean };
  /** Something that its settings need cannot be had: nothing may be sent to the Service by them. */
  readonly closed: boolean;
}

/** In the order of the table's entries. */
export type UpstreamSettings = Omit<TableUpstream, 'id' | 'digest'>;

/** What an object that leads to a Service sets itself, where a policy for the Service may set it too. */
export interface PolicyOverride {
  /** `namespace/name`. */
  readonly service: string;
  readonly object: ObjectRef;
  readonly settings: readonly OverridingSetting[];
}

/** One setting: where it stands in the object, in a policy, and in what both compile to. */
export interface OverridingSetting {
  readonly path: string;
  readonly policyField: string;
  readonly part: 'timeouts' | 'retry' | 'dialect';
  readonly member: keyof Timeouts | keyof Retry | 'protocol' | 'tls';
}
