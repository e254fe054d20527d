import { AUTHORITY_SOURCE, authorityRules, isAuthority, MAX_AUTHORITY_LENGTH } from './authority.ts';
import type { AnnotationSpec, FilterSpec } from './filter.ts';
import { readAnnotation } from './read-annotation.ts';
import { quote, ValueReader } from './value-reader.ts';

interface RewriteHost {
  /** `host` or `host:port`, as it will be sent. */
  readonly host: string;
}

const WANT = 'a host name or address, with a port if need be; variables are not expanded';

const upstreamVhost: AnnotationSpec = {
  name: 'upstream-vhost',
  grammar: { kind: 'pattern', re2: AUTHORITY_SOURCE, maxLength: MAX_AUTHORITY_LENGTH, want: WANT },
  default: '',
  doc: 'Host to send upstream instead of the one that the client named.',
};

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
          description: 'Host, or host:port.',
          'x-kubernetes-validations': authorityRules,
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
        reader.fault('SP4205', 'host', `Got ${quote(host)}, want ${WANT}`);
      return reader.failed || host === undefined ? undefined : { host };
    },
  },
  annotations: {
    known: [upstreamVhost],
    parse(get, context) {
      const host = readAnnotation(upstreamVhost, get, context);
      return host === '' ? undefined : { host };
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
