import { defaultPort, hostRules, isHost } from './authority.ts';
import type { FilterRequest, FilterSpec } from './filter.ts';
import { currentTarget, redirectAnswer, redirectTo } from './location.ts';
import type { Target } from './location.ts';
import type { ParseContext } from './parse-context.ts';
import { parseRedirectAnnotations, redirectAnnotations } from './redirect-annotations.ts';
import type { FixedRedirect } from './redirect-annotations.ts';
import { MAX_PATH_LENGTH, PATH_PATTERN, readTargetPath, replaceMatchedPrefix } from './target-path.ts';
import { quote, ValueReader } from './value-reader.ts';

/** `fixed` sends everyone to one URL; `parts` changes parts of the URL that the client asked for. */
export type Redirect =
  FixedRedirect | ({ readonly kind: 'parts'; readonly statusCode: number } & RedirectParts);

interface RedirectParts {
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly replacePrefix?: string;
}

const SCHEMES = ['http', 'https'] as const;
const STATUS_CODES = [301, 302, 303, 307, 308] as const;
const DEFAULT_STATUS = 302;

const pathSchema = { type: 'string', minLength: 1, maxLength: MAX_PATH_LENGTH, pattern: PATH_PATTERN };

export const redirect: FilterSpec<Redirect> = {
  name: 'redirect',
  doc: 'Answers with a redirect; what is left out stays as the client asked for it, the query always does.',
  route: {
    answers: true,
    schema: {
      type: 'object',
      description: 'Answers with a redirect. The rule then has no backends.',
      properties: {
        scheme: { type: 'string', enum: SCHEMES, description: 'Scheme to go to; its own port is implied.' },
        host: {
          type: 'string',
          minLength: 1,
          maxLength: 253,
          description: 'Host to go to.',
          'x-kubernetes-validations': hostRules,
        },
        port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'Port to go to.' },
        path: { ...pathSchema, description: 'Path to go to, in place of the whole path.' },
        replacePrefix: {
          ...pathSchema,
          description: 'Path to go to, in place of the prefix that the rule matched.',
        },
        statusCode: {
          type: 'integer',
          enum: STATUS_CODES,
          default: DEFAULT_STATUS,
          description: 'Status of the answer.',
        },
      },
      'x-kubernetes-validations': [
        {
          rule: '!(has(self.path) && has(self.replacePrefix))',
          message: 'path and replacePrefix exclude each other',
        },
        {
          rule: 'has(self.scheme) || has(self.host) || has(self.port) || has(self.path) || has(self.replacePrefix)',
          message:
            'at least one of scheme, host, port, path, replacePrefix is needed, else the redirect leads to itself',
        },
      ],
    },
    example: { scheme: 'https', host: 'www.example.com', statusCode: 301 },
    parse: parseRedirect,
  },
  annotations: { known: redirectAnnotations, parse: parseRedirectAnnotations },
  create(config) {
    if (config.kind === 'fixed') {
      const answer = redirectAnswer(config.location, config.statusCode);
      return { onRequest: () => answer };
    }
    return { onRequest: (request) => redirectTo(moved(request, config), config.statusCode) };
  },
};

function parseRedirect(value: unknown, context: ParseContext): Redirect | undefined {
  const reader = new ValueReader(context);
  const fields = reader.object(value, '', ['scheme', 'host', 'port', 'path', 'replacePrefix', 'statusCode']);
  if (fields === undefined) return undefined;
  const parts = {
    scheme: reader.optionalChoice(fields['scheme'], 'scheme', SCHEMES),
    host: readHost(fields['host'], reader),
    port: reader.optionalInteger(fields['port'], 'port', [1, 65_535]),
    path: readTargetPath(fields['path'], 'path', reader),
    replacePrefix: readTargetPath(fields['replacePrefix'], 'replacePrefix', reader),
  };
  const statusCode =
    reader.optionalChoice(fields['statusCode'], 'statusCode', STATUS_CODES) ?? DEFAULT_STATUS;
  if (fields['path'] !== undefined && fields['replacePrefix'] !== undefined) {
    reader.fault('SP4201', '', 'Got path and replacePrefix, want one of them');
  }
  const given = Object.entries(parts).filter(([, part]) => part !== undefined);
  if (!reader.failed && given.length === 0) {
    const want = 'want at least one of scheme, host, port, path, replacePrefix';
    reader.fault('SP4201', '', `The redirect leads to itself, ${want}`);
  }
  return reader.failed
    ? undefined
    : { kind: 'parts', statusCode, ...(Object.fromEntries(given) as RedirectParts) };
}

function readHost(value: unknown, reader: ValueReader): string | undefined {
  const host = reader.optionalString(value, 'host', 253);
  if (host === undefined || isHost(host)) return host;
  return reader.fault('SP4205', 'host', `Got ${quote(host)}, want a host name or address without a port`);
}

function moved(request: FilterRequest, parts: RedirectParts): Target {
  const scheme = parts.scheme ?? request.scheme;
  // A named scheme implies its own port; otherwise the client stays on the port that it used.
  const port = parts.port ?? (parts.scheme === undefined ? request.port : defaultPort(scheme));
  const replaced =
    parts.replacePrefix === undefined ? request.path : replaceMatchedPrefix(request, parts.replacePrefix);
  return {
    ...currentTarget(request),
    scheme,
    host: parts.host ?? request.host,
    port,
    path: parts.path ?? replaced,
  };
}
