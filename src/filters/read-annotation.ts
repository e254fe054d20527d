import { annotationFault, trimmed } from './annotation-grammar.ts';
import type { AnnotationSpec } from './filter.ts';
import type { ParseContext } from './parse-context.ts';
import { quote } from './value-reader.ts';

/**
 * The trimmed value of one annotation; '' when it is absent or, after a warning, does not fit its grammar. As in
 * ingress-nginx such a value is passed over: a filter that protects reports an error by itself instead.
 */
export function readAnnotation(
  spec: AnnotationSpec,
  get: (name: string) => string | undefined,
  context: ParseContext,
): string {
  const text = get(spec.name) ?? '';
  const want = annotationFault(spec.grammar, text);
  if (want === undefined) return trimmed(text);
  const got = quote(trimmed(text));
  if (spec.default === '') context.warn('SP4251', spec.name, `Ignoring ${got}, want ${want}`);
  else context.warn('SP4252', spec.name, `Got ${got}, want ${want}; using ${spec.default}`);
  return '';
}
