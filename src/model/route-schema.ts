import { clientCertificateSchema } from './client-certificate-schema.ts';
import { retriesSchema, timeoutsSchema } from './exchange-schema.ts';
import {
  hostSchema,
  labelSchema,
  nameSchema,
  objectSchema,
  plainTextPattern,
  portSchema,
  tokenSchema,
} from './schema.ts';
import type { CelRule, Schema } from './schema.ts';
import { grpcMethodPattern, grpcServicePattern } from './text-checks.ts';

// The CRD schema of Route, apart from its filters: their schemas stand beside them (src/filters) and are put in by the
// generator. Every list and string is bounded, because the API server estimates the cost of the CEL rules from the bounds.

const MATCH_LIMIT = 16;

const hasBackends = 'has(self.backends) && self.backends.size() > 0';
const replacesPrefix =
  'has(self.filters) && self.filters.exists(f, (has(f.rewritePath) && has(f.rewritePath.replacePrefix))' +
  ' || (has(f.redirect) && has(f.redirect.replacePrefix)))';

/** `answering`: names of the filters that answer by themselves. */
function ruleRules(answering: readonly string[]): readonly CelRule[] {
  const given = answering.map((name) => `has(f.${name})`).join(' || ');
  const answers = `has(self.filters) && self.filters.exists(f, ${given})`;
  const names = answering.join(' or ');
  return [
    { rule: `(${hasBackends}) || (${answers})`, message: `a rule needs backends, or the filter ${names}` },
    {
      rule: `!(${hasBackends}) || !(${answers})`,
      message: `a rule with the filter ${names} has no backends`,
    },
    prefixRule,
  ];
}

const prefixRule: CelRule = {
  rule: `!(${replacesPrefix}) || !has(self.matches) || self.matches.all(m, (!has(m.path) || m.path.type != 'Regex') && (!has(m.grpc) || has(m.grpc.service)))`,
  message: 'replacePrefix needs matches of type Prefix or Exact: a regular expression has no prefix',
};

const pathMatch: Schema = {
  type: 'object',
  description: 'Condition on the path, in its normal form.',
  required: ['value'],
  properties: {
    type: {
      type: 'string',
      enum: ['Exact', 'Prefix', 'Regex'],
      default: 'Prefix',
      description:
        'Prefix goes by path element: /foo holds for /foo and /foo/x, not for /foobar. Regex: the whole path.',
    },
    value: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      pattern: plainTextPattern,
      description: 'The path, or an RE2 expression.',
    },
  },
  'x-kubernetes-validations': [
    { rule: "self.type == 'Regex' || self.value.startsWith('/')", message: "a path must start with '/'" },
    {
      rule: "self.type == 'Regex' || !self.value.matches('//|/[.][.]?(/|$)|%2[fF]')",
      message: 'a path has no double slash, no dot segment and no encoded slash',
    },
  ],
};

function namedMatches(what: string, name: Schema): Schema {
  return {
    type: 'array',
    description: `Conditions on ${what}; all must hold.`,
    maxItems: MATCH_LIMIT,
    'x-kubernetes-list-type': 'atomic',
    items: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { description: `Name among the ${what}.`, ...name },
        type: {
          type: 'string',
          enum: ['Exact', 'Regex', 'Present', 'Absent'],
          default: 'Exact',
          description:
            'Exact and Regex (RE2 syntax, the whole value) compare with value; Present and Absent ask only whether it is there.',
        },
        value: {
          type: 'string',
          maxLength: 1024,
          pattern: plainTextPattern,
          description: 'The text, or an RE2 expression. Not for Present and Absent.',
        },
      },
      'x-kubernetes-validations': [
        {
          rule: "self.type in ['Exact', 'Regex'] ? has(self.value) : !has(self.value)",
          message: 'Exact and Regex need a value; Present and Absent have none',
        },
      ],
    },
  };
}

function grpcName(what: string, pattern: string): Schema {
  return { type: 'string', minLength: 1, maxLength: 256, pattern: `^${pattern}$`, description: what };
}

const grpcMatch: Schema = {
  type: 'object',
  description:
    'Condition on a gRPC request: the path /service/method, by POST. In place of path and methods.',
  minProperties: 1,
  properties: {
    service: grpcName(
      'The service with its package, as in shop.v1.Cart. Left out: any service.',
      grpcServicePattern,
    ),
    method: grpcName('The method, as in AddItem. Left out: any method.', grpcMethodPattern),
  },
};

const match: Schema = {
  type: 'object',
  description: 'Conditions on a request; all that are given must hold.',
  minProperties: 1,
  'x-kubernetes-validations': [
    {
      rule: '!has(self.grpc) || (!has(self.path) && !has(self.methods))',
      message: 'grpc stands for a path and for the method POST: neither is given beside it',
    },
  ],
  properties: {
    path: pathMatch,
    grpc: grpcMatch,
    methods: {
      type: 'array',
      description: 'Any of these methods.',
      maxItems: MATCH_LIMIT,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', minLength: 1, maxLength: 32, pattern: "^[A-Z0-9!#$%&'*+.^_`|~-]+$" },
    },
    headers: namedMatches('header fields', tokenSchema),
    query: namedMatches('query parameters', {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      pattern: plainTextPattern,
    }),
    cookies: namedMatches('cookies', tokenSchema),
    sourceRanges: {
      type: 'array',
      description: "CIDRs or addresses; the client's must lie in one of them.",
      maxItems: 64,
      'x-kubernetes-list-type': 'set',
      items: {
        type: 'string',
        minLength: 2,
        maxLength: 49,
        pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$',
        'x-kubernetes-validations': [
          {
            rule: 'isCIDR(self) || isIP(self)',
            message: 'a range is an address, or a CIDR such as 10.0.0.0/8',
          },
        ],
      },
    },
  },
};

const backend: Schema = {
  type: 'object',
  description: 'A Service, with its share of the requests.',
  required: ['service', 'port'],
  properties: {
    service: { ...labelSchema, description: 'Name of the Service.' },
    namespace: { ...labelSchema, description: "Namespace of the Service; left out: the Route's own." },
    port: portSchema,
    weight: {
      type: 'integer',
      minimum: 0,
      maximum: 1_000_000,
      default: 1,
      description: 'Share of the requests, relative to the other backends.',
    },
  },
};

const split: Schema = {
  type: 'object',
  description: 'How a request picks among weighted backends. Left out: at random.',
  required: ['by'],
  properties: {
    by: {
      type: 'string',
      enum: ['random', 'address', 'header', 'cookie'],
      description: 'Always alike for one client address, header or cookie; or at random.',
    },
    name: { ...tokenSchema, description: 'Of the header or cookie.' },
  },
  'x-kubernetes-validations': [
    {
      rule: "self.by in ['header', 'cookie'] ? has(self.name) : !has(self.name)",
      message: 'a split by header or cookie needs its name; others have none',
    },
  ],
};

/** The schema of one rule; `filter` is that of one entry of its filters, `rules` its CEL rules. */
function rule(filter: Schema, rules: readonly CelRule[]): Schema {
  return {
    type: 'object',
    description: 'Which requests, what is done to them, and where they go.',
    properties: {
      name: { ...labelSchema, description: 'Of the rule, for conditions and metrics.' },
      matches: {
        type: 'array',
        description: 'Alternatives: one must hold. Left out: every request.',
        maxItems: MATCH_LIMIT,
        'x-kubernetes-list-type': 'atomic',
        items: match,
      },
      filters: {
        type: 'array',
        description: 'What is done to request and response, one filter an entry.',
        maxItems: 16,
        'x-kubernetes-list-type': 'atomic',
        items: filter,
      },
      backends: {
        type: 'array',
        description: 'Services that requests go to, each with its share.',
        maxItems: 16,
        'x-kubernetes-list-type': 'atomic',
        items: backend,
        'x-kubernetes-validations': [
          {
            rule: 'self.size() == 0 || self.exists(b, b.weight > 0)',
            message: 'at least one backend needs a weight above 0',
          },
        ],
      },
      split,
      timeouts: timeoutsSchema,
      retries: retriesSchema,
    },
    'x-kubernetes-validations': rules,
  };
}

/** What the schema has to know of a Route filter. */
export interface RouteFilterSchema {
  readonly name: string;
  /** Of the filter's value. */
  readonly schema: Schema;
  /** Whether it answers by itself, so that its rule has no backends. */
  readonly answers: boolean;
}

/** The CRD schema of Route with these filters, in the order of the chain; one of them answers, as redirect does. */
export function routeSchema(filters: readonly RouteFilterSchema[]): Schema {
  const answering = filters.filter(({ answers }) => answers).map(({ name }) => name);
  const given = filters.map(({ name }) => `has(self.${name})`).join(', ');
  const filter: Schema = {
    type: 'object',
    description: 'One filter: a single field, which names it.',
    properties: Object.fromEntries(filters.map(({ name, schema }) => [name, schema])),
    'x-kubernetes-validations': [
      {
        rule: `[${given}].filter(given, given).size() == 1`,
        message: 'an entry of filters names exactly one filter that this version knows',
      },
    ],
  };
  return objectSchema('Routes requests for hosts to Services.', {
    type: 'object',
    required: ['rules'],
    properties: {
      ingressClassName: { ...nameSchema, description: 'As for an Ingress; left out: the default class.' },
      hosts: {
        type: 'array',
        description: "Exact names, or '*.' and a name for one more label. Left out: every host.",
        maxItems: 64,
        'x-kubernetes-list-type': 'set',
        items: hostSchema,
      },
      tls: {
        type: 'object',
        description: 'Certificate for the hosts, and what their clients have to show.',
        'x-kubernetes-validations': [
          {
            rule: 'has(self.secretName) || has(self.clientCertificate)',
            message: 'tls needs secretName, clientCertificate, or both',
          },
        ],
        properties: {
          secretName: {
            ...nameSchema,
            description:
              'Name of the Secret, of type kubernetes.io/tls. Left out: the certificate that the hosts have otherwise.',
          },
          namespace: { ...labelSchema, description: "Namespace of the Secret; left out: the Route's own." },
          clientCertificate: clientCertificateSchema,
        },
      },
      rules: {
        type: 'array',
        description:
          'Of all rules whose matches hold, the most specific one serves a request, whatever their order.',
        minItems: 1,
        maxItems: 64,
        'x-kubernetes-list-type': 'atomic',
        items: rule(filter, ruleRules(answering)),
      },
    },
  });
}
