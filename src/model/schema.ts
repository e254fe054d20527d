/** An OpenAPI v3 structural schema (Kubernetes' dialect with `x-kubernetes-…`), as plain data. */
export type Schema = Readonly<Record<string, unknown>>;

/** A CEL rule with what the user is told when it does not hold. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** RFC 1123 label. */
const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';

/** RFC 9110 §5.6.2. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";

/** RFC 1123 subdomain, as most object names. */
export const nameSchema: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
};

/** RFC 1123 label, as names of Services and Namespaces. */
export const labelSchema: Schema = { type: 'string', minLength: 1, maxLength: 63, pattern: `^${LABEL}$` };

/** Name of a header field or cookie. */
export const tokenSchema: Schema = { type: 'string', minLength: 1, maxLength: 256, pattern: `^${TOKEN}$` };

/** What holds for every text that users compare requests with. */
export const plainTextPattern = String.raw`^[^\x00-\x1f\x7f]*$`;

/** A Service port by number or by name. */
export const portSchema: Schema = {
  'x-kubernetes-int-or-string': true,
  minimum: 1,
  maximum: 65_535,
  maxLength: 15,
  description: 'Port of the Service, by number or by name.',
  'x-kubernetes-validations': [
    {
      rule:
        "type(self) == int || (string(self).matches('^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$') && " +
        "string(self).matches('[a-z]') && !string(self).contains('--'))",
      message:
        'a port is a number, or a name of lower-case letters, digits and single hyphens with a letter in it',
    },
  ],
};

/** GEP-2257, as the Gateway API writes durations. */
export function durationSchema(description: string): Schema {
  return { type: 'string', maxLength: 32, pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$', description };
}

/** As `durationSchema`, without 0. */
export function positiveDurationSchema(description: string): Schema {
  return {
    ...durationSchema(description),
    'x-kubernetes-validations': [
      { rule: "duration(self) > duration('0s')", message: 'this duration must be above 0' },
    ],
  };
}

export const hostSchema: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  'x-kubernetes-validations': [
    {
      // Without `.*`-like parts, so that the estimated cost stays low.
      rule: `self.matches('^([*][.])?${LABEL}([.]${LABEL})*$') && !isIP(self)`,
      message: "a host is a lower-case DNS name, or '*.' before one; no port, no address",
    },
  ],
};

/** `status` of every kind: conditions as KEP-1623 has them. */
export const statusSchema: Schema = {
  type: 'object',
  description: 'What the controller made of this object.',
  properties: {
    conditions: {
      type: 'array',
      description: 'What holds for the object, one entry a type.',
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
        properties: {
          type: {
            type: 'string',
            maxLength: 316,
            description: 'Accepted, ResolvedRefs or Programmed.',
          },
          status: {
            type: 'string',
            enum: ['True', 'False', 'Unknown'],
            description: 'Whether it holds.',
          },
          observedGeneration: {
            type: 'integer',
            format: 'int64',
            minimum: 0,
            description: 'The generation of the object that this was said of.',
          },
          lastTransitionTime: {
            type: 'string',
            format: 'date-time',
            description: 'When the status was last another one.',
          },
          reason: {
            type: 'string',
            minLength: 1,
            maxLength: 1024,
            pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
            description: 'Why, in one word for machines.',
          },
          message: { type: 'string', maxLength: 32_768, description: 'Why, for people.' },
        },
      },
    },
  },
};

/** The schema of a whole object. */
export function objectSchema(description: string, spec: Schema): Schema {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'sallyport.dev/v1alpha1' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { description: 'What is wanted.', ...spec },
      status: statusSchema,
    },
  };
}
