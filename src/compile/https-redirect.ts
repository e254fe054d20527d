import { filterRegistry } from '../filters/registry.ts';
import type { HttpsRedirect } from '../filters/https-redirect.ts';
import type { FilterConfig } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import type { CompileOptions } from './compile-options.ts';

/** That an Ingress's routes send plain HTTP to HTTPS: on hosts that some object lists under tls, or on all. */
export interface RedirectWish {
  readonly onlyWithTls: boolean;
  readonly filter: FilterConfig;
}

/** ssl-redirect, force-ssl-redirect and preserve-trailing-slash, over what flags say. Undefined: never. */
export function redirectWish(reader: AnnotationReader, options: CompileOptions): RedirectWish | undefined {
  const given = (name: string, otherwise: boolean): boolean =>
    reader.get(name) === undefined ? otherwise : reader.boolean(name);
  const always = given('force-ssl-redirect', options.forceSslRedirect);
  const withTls = given('ssl-redirect', options.sslRedirect);
  const cutTrailingSlash = !given('preserve-trailing-slash', false);
  if (!always && !withTls) return undefined;
  // In the order of the table's entries: by name.
  const config: HttpsRedirect = { cutTrailingSlash, statusCode: options.httpRedirectCode };
  return { onlyWithTls: !always, filter: { name: 'httpsRedirect', config } };
}

/** The filters of a route with the redirect at its place in the chain. */
export function withRedirect(
  filters: readonly FilterConfig[],
  redirect: FilterConfig,
): readonly FilterConfig[] {
  return [...filters, redirect].toSorted(
    (a, b) => filterRegistry.position(a.name) - filterRegistry.position(b.name),
  );
}
