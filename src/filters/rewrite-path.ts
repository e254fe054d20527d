import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
import type { LinearRegex } from '../util/linear-regex.ts';
import type { Filter, FilterRequest, FilterSpec, LocalAnswer } from './filter.ts';
import type { ParseContext } from './parse-context.ts';
import { parseSubstitution, substitute } from './substitution.ts';
import type { Substitution } from './substitution.ts';
import {
  checkedPath,
  MAX_PATH_LENGTH,
  PATH_CHARACTERS,
  PATH_PATTERN,
  readTargetPath,
  replaceMatchedPrefix,
} from './target-path.ts';
import { fieldPath, quote, ValueReader } from './value-reader.ts';

export type RewritePath =
  | { readonly kind: 'prefix'; readonly replacement: string }
  | { readonly kind: 'full'; readonly path: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: Substitution };

const MAX_PATTERN_LENGTH = 1024;
const MODES = ['replacePrefix', 'replaceFull', 'regex'] as const;

const pathSchema = { type: 'string', minLength: 1, maxLength: MAX_PATH_LENGTH, pattern: PATH_PATTERN };

export const rewritePath: FilterSpec<RewritePath> = {
  name: 'rewritePath',
  doc: 'Changes the path that is sent upstream; the query stays.',
  route: {
    schema: {
      type: 'object',
      description: 'Changes the path that is sent upstream, in exactly one way.',
      properties: {
        replacePrefix: { ...pathSchema, description: 'Stands in for the prefix that the rule matched.' },
        replaceFull: { ...pathSchema, description: 'Stands in for the whole path.' },
        regex: {
          type: 'object',
          description: 'Rewrites paths that match as a whole; others stay as they are.',
          required: ['pattern', 'substitution'],
          properties: {
            pattern: {
              type: 'string',
              minLength: 1,
              maxLength: MAX_PATTERN_LENGTH,
              description: 'RE2 syntax, matched against the whole path.',
            },
            substitution: {
              type: 'string',
              minLength: 1,
              maxLength: MAX_PATH_LENGTH,
              description: 'The new path. $1 to $9 and ${name} are captures, $$ is a dollar sign.',
            },
          },
        },
      },
      'x-kubernetes-validations': [
        {
          rule: '[has(self.replacePrefix), has(self.replaceFull), has(self.regex)].filter(given, given).size() == 1',
          message: 'exactly one of replacePrefix, replaceFull and regex is needed',
        },
      ],
    },
    example: { regex: { pattern: '/users/([0-9]+)/(.*)', substitution: '/$2/of/$1' } },
    parse: parseRewritePath,
  },
  create(config) {
    switch (config.kind) {
      case 'prefix':
        return rewriteBy((request) => replaceMatchedPrefix(request, config.replacement));
      case 'full':
        return rewriteBy(() => config.path);
      case 'regex':
        return createRegexRewrite(config);
    }
  },
};

function rewriteBy(rewritten: (request: FilterRequest) => string): Filter {
  return {
    onRequest(request) {
      request.path = rewritten(request);
      return undefined;
    },
  };
}

function createRegexRewrite({ pattern, substitution }: RewritePath & { readonly kind: 'regex' }): Filter {
  const regex = compileLinear(pattern);
  if (isRegexFault(regex)) throw new Error(`Pattern ${quote(pattern)} does not compile: ${regex.reason}`);
  return {
    onRequest(request) {
      const match = regex.matchWhole(request.path);
      if (match === undefined) return undefined;
      const path = checkedPath(substitute(substitution, match), request.path);
      if (path === undefined) return badPath(request);
      request.path = path;
      return undefined;
    },
  };
}

/** As the proxy itself answers to a path that it cannot use. */
function badPath({ requestId }: FilterRequest): LocalAnswer {
  const headers = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Request-ID', requestId],
  ] as const;
  return { status: 400, headers, body: '400 Bad Request\n' };
}

function parseRewritePath(value: unknown, context: ParseContext): RewritePath | undefined {
  const reader = new ValueReader(context);
  const fields = reader.object(value, '', MODES);
  if (fields === undefined) return undefined;
  const given = MODES.filter((mode) => fields[mode] !== undefined);
  const [mode] = given;
  if (mode === undefined || given.length > 1) {
    const got = given.length === 0 ? 'nothing' : given.join(' and ');
    return reader.fault('SP4201', '', `Got ${got}, want exactly one of ${MODES.join(', ')}`);
  }
  const config =
    mode === 'regex' ? readRegex(fields[mode], reader) : readReplacement(fields[mode], mode, reader);
  return reader.failed ? undefined : config;
}

function readReplacement(value: unknown, mode: string, reader: ValueReader): RewritePath | undefined {
  const path = readTargetPath(value, mode, reader);
  if (path === undefined) return undefined;
  return mode === 'replaceFull' ? { kind: 'full', path } : { kind: 'prefix', replacement: path };
}

function readRegex(value: unknown, reader: ValueReader): RewritePath | undefined {
  const fields = reader.object(value, 'regex', ['pattern', 'substitution']);
  if (fields === undefined) return undefined;
  const pattern = reader.string(fields['pattern'], 'regex.pattern', MAX_PATTERN_LENGTH);
  const text = reader.string(fields['substitution'], 'regex.substitution', MAX_PATH_LENGTH);
  if (pattern === undefined || text === undefined) return undefined;
  const regex = compileLinear(pattern);
  if (isRegexFault(regex)) {
    return reader.fault('SP4207', 'regex.pattern', `Pattern ${quote(pattern)}: ${regex.reason}`);
  }
  const substitution = readSubstitution(text, regex, reader);
  return substitution === undefined ? undefined : { kind: 'regex', pattern, substitution };
}

function readSubstitution(text: string, regex: LinearRegex, reader: ValueReader): Substitution | undefined {
  const field = fieldPath('regex', 'substitution');
  const { parts, unknown } = parseSubstitution(text, regex);
  if (unknown.length > 0) {
    return reader.fault(
      'SP4207',
      field,
      `Got ${quote(unknown.join(' '))}, want groups of the pattern, or $$`,
    );
  }
  const usable = parts.every((part) => typeof part === 'number' || PATH_CHARACTERS.test(part));
  const [first] = parts;
  if (usable && (typeof first === 'number' || first?.startsWith('/') === true)) return parts;
  const want = "want a path that starts with '/', without query and fragment";
  return reader.fault('SP4207', field, `Got ${quote(text)}, ${want}`);
}
