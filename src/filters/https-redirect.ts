import { formatAuthority } from './authority.ts';
import type { FilterSpec } from './filter.ts';
import { redirectAnswer } from './location.ts';
import { ValueReader } from './value-reader.ts';

/** Made by the compiler from annotations and flags, or by a rule of a Route. */
export interface HttpsRedirect {
  readonly statusCode: number;
  /** As ingress-nginx does unless told otherwise. */
  readonly cutTrailingSlash: boolean;
}

const STATUS_CODES = [301, 302, 307, 308] as const;
const DEFAULT_STATUS = 308;
/** Authorities fetch their challenges over plain HTTP (RFC 8555 §8.3). */
export const CHALLENGES = '/.well-known/acme-challenge';

export const httpsRedirect: FilterSpec<HttpsRedirect> = {
  name: 'httpsRedirect',
  doc: 'Redirects requests over plain HTTP to the same URL over HTTPS; others pass, and so do challenges of ACME.',
  route: {
    schema: {
      type: 'object',
      description: 'Redirects requests over plain HTTP to the same URL over HTTPS.',
      properties: {
        statusCode: {
          type: 'integer',
          enum: STATUS_CODES,
          default: DEFAULT_STATUS,
          description: 'Status of the answer.',
        },
      },
    },
    example: { statusCode: 308 },
    parse(value, context) {
      const reader = new ValueReader(context);
      const fields = reader.object(value, '', ['statusCode']);
      const statusCode =
        reader.optionalChoice(fields?.['statusCode'], 'statusCode', STATUS_CODES) ?? DEFAULT_STATUS;
      return reader.failed ? undefined : { statusCode, cutTrailingSlash: false };
    },
  },
  create({ statusCode, cutTrailingSlash }) {
    return {
      plainOnly: true,
      onRequest({ scheme, host, path, query }) {
        // Without a host there is no URL to send anyone to (HTTP/1.0).
        if (scheme === 'https' || host === '' || path.startsWith(CHALLENGES)) return undefined;
        const kept = cutTrailingSlash && query === '' && path.endsWith('/') ? path.slice(0, -1) : path;
        return redirectAnswer(`https://${formatAuthority('https', host, 443)}${kept}${query}`, statusCode);
      },
    };
  },
};
