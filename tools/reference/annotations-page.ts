import { knownAnnotations } from '../../src/compile/known-annotations.ts';
import type { AnnotationStatus, KnownAnnotation } from '../../src/compile/known-annotations.ts';
import { wantedOf } from '../../src/filters/annotation-grammar.ts';
import type { AnnotationSpec } from '../../src/filters/filter.ts';
import { code, pageHead, table } from './markdown.ts';

const INTRO = `Every annotation works under two prefixes: \`nginx.ingress.kubernetes.io/\` (another with \`--annotations-prefix\`) and
\`sallyport.dev/\`. An annotation that cannot be honoured is never passed over in silence: the Ingress gets a
[diagnostic](diagnostics.md).`;

const OTHERS: readonly (readonly [AnnotationStatus, string, string])[] = [
  ['planned', 'Not supported yet', 'The routes work without them, and the Ingress gets a warning.'],
  [
    'closed',
    'Not supported, routes fail closed',
    'They may stand for protection: routes of such an Ingress answer 503 rather than run without it.',
  ],
  ['inert', 'Without effect', 'There is nothing here for them to switch.'],
];

/** docs/reference/annotations.md. `specs`: what filters and the compiler read, in the order of the page. */
export function annotationsPage(specs: readonly AnnotationSpec[]): string {
  const supported = new Set(specs.map(({ name }) => name));
  const rows = specs.map(({ name, grammar, default: initial, doc }) => [
    code(name),
    wantedOf(grammar),
    code(initial),
    doc,
  ]);
  const others = OTHERS.map(([status, title, text]) => {
    const names = knownAnnotations.filter((known) => known.status === status && !supported.has(known.name));
    return names.length === 0
      ? ''
      : `\n## ${title}\n\n${text}\n\n${table(['Annotation', 'Unless it is'], names.map(row))}`;
  });
  return [
    pageHead('Annotations of an Ingress', INTRO),
    '\n## Supported\n\n',
    table(['Annotation', 'Takes', 'Default', 'Meaning'], rows),
    ...others,
  ].join('');
}

function row({ name, neutral = [] }: KnownAnnotation): readonly string[] {
  return [code(name), neutral.map((value) => code(value)).join(', ')];
}
