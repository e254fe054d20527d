import { AUTHORITY_PATTERN, isAuthority, MAX_AUTHORITY_LENGTH } from './authority.ts';
import type { FilterSpec } from './filter.ts';
import { quote, ValueReader } from './value-reader.ts';

interface RewriteHost {
  /** `host` or `host:port`, as it will be sent. */
  readonly host: string;
}

const WANT = 'want a host name or address, with a port if need be; variables are not expanded';

export const rewriteHost: FilterSpec<RewriteHost> = {
  name: 'rewriteHost',
  doc: 'Sends this Host upstream instead of the one that the client named.',
  route: {
    schema: {
      type: 'object',
      description: 'Replaces the Host that is sent upstream.',
      required: ['host'],
      properties: {
        host: {
          type: 'string',
          minLength: 1,
          maxLength: MAX_AUTHORITY_LENGTH,
          pattern: AUTHORITY_PATTERN,
          description: 'Host, or host:port.',
        },
      },
    },
    example: { host: 'shop.internal.example:8080' },
    parse(value, context) {
      const reader = new ValueReader(context);
      const fields = reader.object(value, '', ['host']);
      if (fields === undefined) return undefined;
      const host = reader.string(fields['host'], 'host', MAX_AUTHORITY_LENGTH);
      if (host !== undefined && !isAuthority(host))
        reader.fault('SP4205', 'host', `Got ${quote(host)}, ${WANT}`);
      return reader.failed || host === undefined ? undefined : { host };
    },
  },
  annotations: {
    known: [
      {
        name: 'upstream-vhost',
        type: 'string',
        default: '',
        doc: 'Host to send upstream instead of the one that the client named.',
      },
    ],
    parse(get, context) {
      const host = get('upstream-vhost')?.trim() ?? '';
      if (host === '') return undefined;
      if (isAuthority(host)) return { host };
      context.warn('SP4251', 'upstream-vhost', `Ignoring ${quote(host)}, ${WANT}`);
      return undefined;
    },
  },
  create({ host }) {
    return {
      onRequest(request) {
        request.authority = host;
        return undefined;
      },
    };
  },
};
