import { maxLengthOf, patternOf, wantedOf, WHITE_SPACE } from '../../src/filters/annotation-grammar.ts';
import type { AnnotationGrammar } from '../../src/filters/annotation-grammar.ts';
import { MAX_PATTERN_BYTES } from '../../src/util/linear-regex.ts';

/** A CEL expression that holds for the values of a grammar, and what is wanted when it does not. */
export interface Fits {
  readonly expression: string;
  readonly want: string;
  /** In characters; what is longer is told so. */
  readonly maxLength?: number;
}

/**
 * `annotationFault` as CEL; `value` is an expression for the text. undefined where every text fits. Lengths are asked
 * first: what an expression may cost is bounded, and regular expressions cost by the length of the text.
 */
export function fitsExpression(grammar: AnnotationGrammar, value: string): Fits | undefined {
  if (grammar.kind === 'any') return undefined;
  if (grammar.kind === 'regex') {
    // A pattern that is none makes `matches` fail, and the policy with it.
    const compiles = `(''.matches(${value}) || !''.matches(${value}))`;
    const starts =
      grammar.start === undefined
        ? ''
        : ` && (${value} == '' || ${value}.startsWith(${celText(grammar.start)}))`;
    return {
      expression: `size(bytes(${value})) <= ${MAX_PATTERN_BYTES}${starts} && ${compiles}`,
      want: wantedOf(grammar),
    };
  }
  const length = maxLengthOf(grammar) ?? 0;
  return {
    expression: `size(${value}) <= ${length} && ${matchesExpression(grammar, value)}`,
    want: wantedOf(grammar),
    maxLength: length,
  };
}

function matchesExpression(grammar: AnnotationGrammar, value: string): string {
  const space = `[${WHITE_SPACE}]*`;
  const pattern = `^${space}(?:${patternOf(grammar) ?? ''})?${space}$`;
  const matches = `${value}.matches(${celText(pattern)})`;
  if (grammar.kind !== 'integer') return matches;
  const number = `int(${value}.trim())`;
  const within = `(${number} >= ${grammar.min} && ${number} <= ${grammar.max})`;
  return `${matches} && (${value}.trim() == '' || ${within})`;
}

/** A CEL string literal; raw where that reads better. */
export function celText(text: string): string {
  if (text.includes('\\') && !text.includes('"')) return `r"${text}"`;
  return text.includes("'") || text.includes('\\') ? JSON.stringify(text) : `'${text}'`;
}
