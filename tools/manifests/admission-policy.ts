import { dump } from 'js-yaml';
import { compiledAnnotations } from '../../src/compile/annotation-docs.ts';
import { knownAnnotations } from '../../src/compile/known-annotations.ts';
import type { AnnotationStatus } from '../../src/compile/known-annotations.ts';
import { FALSE_SPELLINGS } from '../../src/filters/annotation-grammar.ts';
import type { FilterRegistry } from '../../src/filters/filter-registry.ts';
import type { AnnotationSpec } from '../../src/filters/filter.ts';
import { celText, fitsExpression } from './grammar-cel.ts';
import type { Fits } from './grammar-cel.ts';

// ValidatingAdmissionPolicies for Ingress annotations (KEP-3488), written from what filters and compiler say that they take.
// One refuses values that would be left out, one warns of annotations that would do nothing. They hold only constants of
// this repository: nothing that a user wrote is ever put into an expression.

/** What an installation may change. In the text each stands once a policy, as a quoted CEL string. */
export interface AdmissionPolicyOptions {
  readonly ingressClass: string;
  /** Without slash; `sallyport.dev` always holds besides. */
  readonly annotationsPrefix: string;
}

export const defaultPolicyOptions: AdmissionPolicyOptions = {
  ingressClass: 'sallyport',
  annotationsPrefix: 'nginx.ingress.kubernetes.io',
};

const OWN_PREFIX = 'sallyport.dev/';
const DENY_NAME = 'sallyport-annotation-values';
const WARN_NAME = 'sallyport-annotation-support';
/** Characters of a value that a message repeats. */
const SHOWN = 80;

/** The manifest: two policies with their bindings. */
export function admissionPolicies(
  registry: FilterRegistry,
  options: AdmissionPolicyOptions = defaultPolicyOptions,
): string {
  const specs = [...registry.annotations, ...compiledAnnotations];
  const documents = [
    denyPolicy(specs, options),
    binding(DENY_NAME, ['Deny']),
    warnPolicy(specs, options),
    binding(WARN_NAME, ['Warn', 'Audit']),
  ];
  const texts = documents.map((document) => dump(document, { noRefs: true, lineWidth: -1 }));
  return `# Written by tools/generate.ts: do not edit.\n${texts.join('---\n')}`;
}

function denyPolicy(specs: readonly AnnotationSpec[], options: AdmissionPolicyOptions): unknown {
  const checked = specs.flatMap((spec) => {
    const fits = fitsExpression(spec.grammar, `variables.${variableOf(spec.name)}`);
    return fits === undefined ? [] : [{ ...spec, ...fits }];
  });
  return policy(DENY_NAME, options, {
    failurePolicy: 'Fail',
    variables: checked.map(({ name }) => ({ name: variableOf(name), expression: valueOf(name) })),
    validations: checked.map((entry) => ({
      expression: entry.expression,
      message: `annotation ${entry.name}: the value cannot be used, want ${entry.want}`,
      messageExpression: messageOf(entry),
      reason: 'Invalid',
    })),
  });
}

function warnPolicy(specs: readonly AnnotationSpec[], options: AdmissionPolicyOptions): unknown {
  const supported = specs.map(({ name }) => name);
  const groups = warned.map((group) => ({ ...group, names: neutralValues(group.status, supported) }));
  const known = [celList(supported), ...groups.map(({ variable }) => `variables.${variable}Names`)];
  return policy(WARN_NAME, options, {
    failurePolicy: 'Ignore',
    variables: [
      { name: 'keys', expression: effectiveKeys },
      ...groups.flatMap(({ variable, names }) => [
        { name: `${variable}Names`, expression: celMap(names) },
        { name: variable, expression: keysOf(variable) },
      ]),
      {
        name: 'unknown',
        expression: `variables.keys.filter(k, ${known.map((names) => `!(${bareName} in ${names})`).join(' && ')})`,
      },
    ],
    validations: [
      ...groups.map(({ variable, says }) => listValidation(variable, says)),
      listValidation('unknown', 'Sallyport ignores what it does not know'),
    ],
  });
}

interface PolicyParts {
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly unknown[];
}

function policy(
  name: string,
  { ingressClass, annotationsPrefix }: AdmissionPolicyOptions,
  { failurePolicy, variables, validations }: PolicyParts,
): unknown {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy,
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['networking.k8s.io'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['ingresses'],
          },
        ],
      },
      matchConditions: [
        { name: 'class', expression: `${classOf('object')} == ${celText(ingressClass)}` },
        { name: 'not-being-deleted', expression: '!has(object.metadata.deletionTimestamp)' },
        { name: 'says-something-new', expression: isNews },
      ],
      variables: [
        { name: 'annotations', expression: annotationsOf('object') },
        { name: 'prefix', expression: celText(`${annotationsPrefix}/`) },
        ...variables,
      ],
      validations,
    },
  };
}

function binding(name: string, validationActions: readonly string[]): unknown {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions },
  };
}

const annotationsOf = (object: string): string =>
  `has(${object}.metadata.annotations) ? ${object}.metadata.annotations : {}`;

/** The field comes before the annotation that it replaced; '' for neither. */
const classOf = (object: string): string =>
  `(has(${object}.spec.ingressClassName) ? ${object}.spec.ingressClassName : ` +
  `(${annotationsOf(object)})[?'kubernetes.io/ingress.class'].orValue(''))`;

/** What was let in stays editable: an update is looked at when it changes the annotations or the class. */
const isNews =
  `oldObject == null || (${annotationsOf('object')}) != (${annotationsOf('oldObject')}) || ` +
  `${classOf('object')} != ${classOf('oldObject')}`;

/** The own prefix is the stronger one. */
const valueOf = (name: string): string =>
  `variables.annotations[?'${OWN_PREFIX}${name}'].orValue(` +
  `variables.annotations[?variables.prefix + '${name}'].orValue(''))`;

const keyOf = (name: string): string =>
  `('${OWN_PREFIX}${name}' in variables.annotations ? '${OWN_PREFIX}${name}' : variables.prefix + '${name}')`;

/** As the controller's own message, with the length where that is too much. */
function messageOf({ name, want, maxLength }: Fits & { readonly name: string }): string {
  const message = `'annotation ' + ${keyOf(name)} + ': got ' + ${shown(name)} + ${celText(`, want ${want}`)}`;
  if (maxLength === undefined) return message;
  const tooLong = `size(variables.${variableOf(name)}) > ${maxLength}`;
  return `${message} + (${tooLong} ? ', in at most ${maxLength} characters' : '')`;
}

/** Messages are one line, so the value is quoted as it is in diagnostics. */
function shown(name: string): string {
  const value = `variables.${variableOf(name)}`;
  return `strings.quote(size(${value}) > ${SHOWN} ? ${value}.substring(0, ${SHOWN}) + '…' : ${value})`;
}

/** Annotations under both prefixes, without those that the own prefix hides. */
const effectiveKeys =
  `variables.annotations.filter(k, k.startsWith('${OWN_PREFIX}') || ` +
  `(k.startsWith(variables.prefix) && !('${OWN_PREFIX}' + k.split('/')[1] in variables.annotations)))`;

const bareName = `k.split('/')[1]`;

/** What is warned of, in the order of the warnings. */
const warned: readonly {
  readonly status: AnnotationStatus;
  readonly variable: string;
  readonly says: string;
}[] = [
  {
    status: 'closed',
    variable: 'closed',
    says: 'routes of this Ingress will answer 503, because Sallyport does not support what may protect them',
  },
  { status: 'planned', variable: 'planned', says: 'Sallyport ignores what it does not support yet' },
  { status: 'inert', variable: 'inert', says: 'Sallyport ignores what has nothing to switch there' },
];

/** Keys of a group whose values ask for something. */
function keysOf(variable: string): string {
  const names = `variables.${variable}Names`;
  const asks = `!(variables.annotations[k].trim() in ${names}[${bareName}])`;
  return `variables.keys.filter(k, ${bareName} in ${names} && ${asks})`;
}

function listValidation(variable: string, says: string): unknown {
  return {
    expression: `variables.${variable}.size() == 0`,
    message: says,
    messageExpression: `${celText(`${says}: `)} + variables.${variable}.join(', ')`,
  };
}

/** Bare name → values that ask for nothing. */
function neutralValues(
  status: AnnotationStatus,
  supported: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const entries = knownAnnotations.filter(
    (known) => known.status === status && !supported.includes(known.name),
  );
  return new Map(
    entries.map(({ name, neutral = [] }) => [
      name,
      neutral.includes('false') ? [...new Set([...neutral, ...FALSE_SPELLINGS])] : neutral,
    ]),
  );
}

/** `canary-weight` → `canaryWeight`, an identifier of CEL. */
function variableOf(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function celList(texts: readonly string[]): string {
  return `[${texts.map(celText).join(', ')}]`;
}

function celMap(map: ReadonlyMap<string, readonly string[]>): string {
  return `{${[...map].map(([key, values]) => `${celText(key)}: ${celList(values)}`).join(', ')}}`;
}
