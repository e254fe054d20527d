import { hash } from 'node:crypto';

import { canonicalise } from '../table/entry-digest.ts';
import type { TableUpstream, UpstreamTls } from '../table/route-table.ts';
import { variantId } from '../table/upstream-id.ts';

// How endpoints are spoken to. A Service's policy says it for all; an object that says something else has an upstream of its
// own for the Service, a variant: `namespace/service:port+variant`. Objects that say the same share it.

/** The part of an upstream's settings that an object may set for itself. Members in the order of the table's entries. */
export type Dialect = Pick<TableUpstream, 'protocol' | 'grpc' | 'tls'>;

/** As an object asks for it; a name that is left out is each Service's own. */
export interface DialectWish extends Omit<Dialect, 'tls'> {
  readonly tls?: TlsWish;
}

export type TlsWish = Omit<UpstreamTls, 'name'> & { readonly name?: string };

/** An upstream that is spoken to in a way of its own. */
export interface UpstreamVariant {
  readonly id: string;
  readonly dialect: Dialect;
}

export const plainHttp: Dialect = { protocol: 'http1' };

/** What annotations that say nothing of it come to. */
const defaultTls: TlsWish = { verify: false, sendName: false };

const HASH_DIGITS = 8;

/** A wish for a Service, whose own name stands in where none is given. */
export function dialectFor({ tls, ...wish }: DialectWish, serverName: string): Dialect {
  if (tls === undefined) return wish;
  const { certificate, verify, authority, verifyDepth, name = serverName, ...rest } = tls;
  return {
    ...wish,
    tls: {
      ...(certificate === undefined ? {} : { certificate }),
      verify,
      ...(authority === undefined ? {} : { authority }),
      ...(verifyDepth === undefined ? {} : { verifyDepth }),
      name,
      ...rest,
    },
  };
}

export function variantOf(upstream: string, wish: DialectWish, serverName: string): UpstreamVariant {
  return { id: variantId(upstream, variantName(wish)), dialect: dialectFor(wish, serverName) };
}

/** What upstream settings say of it. */
export function dialectOf({ protocol, grpc, tls }: Dialect): Dialect {
  return { protocol, ...(grpc === undefined ? {} : { grpc }), ...(tls === undefined ? {} : { tls }) };
}

export function isSameDialect(a: Dialect, b: Dialect): boolean {
  return JSON.stringify(canonicalise(a)) === JSON.stringify(canonicalise(b));
}

/**
 * `grpcs`, or `https.1f0c9a2b` with TLS settings that differ from the default. It goes by which Secrets are named, not by
 * what they hold, so that a renewed certificate leaves the upstream with its id.
 */
function variantName({ protocol, grpc, tls }: DialectWish): string {
  const name = protocol === 'http2' && grpc === true ? 'grpc' : names[protocol];
  if (tls === undefined) return name;
  const { certificate, authority, ...rest } = tls;
  const named = canonicalise({ certificate: certificate?.id, authority: authority?.id, ...rest });
  const secure = protocol === 'auto' ? name : `${name}s`;
  if (JSON.stringify(named) === JSON.stringify(canonicalise(defaultTls))) return secure;
  return `${secure}.${hash('sha256', JSON.stringify(named), 'hex').slice(0, HASH_DIGITS)}`;
}

const names = { http1: 'http', http2: 'http2', auto: 'auto' } as const;
