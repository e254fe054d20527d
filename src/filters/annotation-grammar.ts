import { compileLinear, isRegexFault, MAX_PATTERN_BYTES } from '../util/linear-regex.ts';

// What annotations take, as data: filters and the compiler check values by it, and the admission policy and the reference
// are generated from it. So whatever it says must hold in RE2 and in JavaScript alike.

/**
 * The values of one annotation. White space around a value (ASCII only) is no part of it, and an empty one asks for
 * nothing: it always fits. `pattern` and `regex` bound the text as it is written, white space included.
 */
export type AnnotationGrammar =
  | { readonly kind: 'any' }
  /** Spellings of Go's ParseBool, which is what ingress-nginx takes. */
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** Any number of them, with white space between. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** `re2` matches the whole value. No `.`, no look-around, no classes such as `\s`: they differ between dialects. */
  | { readonly kind: 'pattern'; readonly re2: string; readonly maxLength: number; readonly want: string }
  /** A regular expression in RE2 syntax that begins with `start`, where that is given; white space around it belongs to it. */
  | { readonly kind: 'regex'; readonly start?: string };

export const TRUE_SPELLINGS: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
export const FALSE_SPELLINGS: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** The inside of a character class: what `trimmed` takes away. */
export const WHITE_SPACE = String.raw`\t\n\v\f\r `;

const SHORT_LENGTH = 64;
const WORDS_LENGTH = 1024;
const whiteSpace = new Set('\t\n\v\f\r ');
const separator = /[\t\n\v\f\r ]+/;
const integerPattern = '[+-]?[0-9]{1,10}';
const compiled = new WeakMap<AnnotationGrammar, RegExp>();

/** Without white space (ASCII) at its ends. */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && whiteSpace.has(text.charAt(start))) start += 1;
  while (end > start && whiteSpace.has(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The words of a text, without empty ones. */
export function wordsOf(text: string): readonly string[] {
  return text.split(separator).filter((word) => word !== '');
}

/** The most characters that a value may have as it is written; undefined where any number will do. */
export function maxLengthOf(grammar: AnnotationGrammar): number | undefined {
  switch (grammar.kind) {
    case 'any':
    case 'regex':
      return undefined;
    case 'pattern':
      return grammar.maxLength;
    case 'words':
      return WORDS_LENGTH;
    default:
      return SHORT_LENGTH;
  }
}

/** RE2 syntax that every value which fits matches as a whole, once trimmed; undefined where no pattern says it. */
export function patternOf(grammar: AnnotationGrammar): string | undefined {
  switch (grammar.kind) {
    case 'any':
    case 'regex':
      return undefined;
    case 'boolean':
      return alternatives([...TRUE_SPELLINGS, ...FALSE_SPELLINGS]);
    case 'integer':
      return integerPattern;
    case 'choice':
      return alternatives(grammar.choices);
    case 'words': {
      const word = alternatives(grammar.words);
      return `${word}(?:[${WHITE_SPACE}]+${word})*`;
    }
    case 'pattern':
      return grammar.re2;
  }
}

/** What is wanted, as the end of a message. */
export function wantedOf(grammar: AnnotationGrammar): string {
  switch (grammar.kind) {
    case 'any':
      return 'any text';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `an integer from ${grammar.min} to ${grammar.max}`;
    case 'choice':
      return `one of ${grammar.choices.join(', ')}`;
    case 'words':
      return `any of ${grammar.words.join(', ')}`;
    case 'pattern':
      return grammar.want;
    case 'regex':
      return `a regular expression in RE2 syntax of at most ${MAX_PATTERN_BYTES} bytes${startOf(grammar)}`;
  }
}

/** What is wanted instead of a text that does not fit, as the end of a message; undefined for one that fits. */
export function annotationFault(grammar: AnnotationGrammar, text: string): string | undefined {
  if (text === '' || grammar.kind === 'any') return undefined;
  if (grammar.kind === 'regex') {
    return text.startsWith(grammar.start ?? '') ? regexFault(text) : wantedOf(grammar);
  }
  const maxLength = maxLengthOf(grammar) ?? Infinity;
  if (text.length > maxLength) return `${wantedOf(grammar)}, in at most ${maxLength} characters`;
  const value = trimmed(text);
  if (value === '') return undefined;
  if (!wholePattern(grammar).test(value)) return wantedOf(grammar);
  if (grammar.kind !== 'integer') return undefined;
  const number = Number(value);
  return number >= grammar.min && number <= grammar.max ? undefined : wantedOf(grammar);
}

function startOf({ start }: { readonly start?: string }): string {
  return start === undefined ? '' : ` that begins with ${start}`;
}

function regexFault(text: string): string | undefined {
  const regex = compileLinear(text);
  return isRegexFault(regex) ? regex.reason : undefined;
}

function wholePattern(grammar: AnnotationGrammar): RegExp {
  const known = compiled.get(grammar);
  if (known !== undefined) return known;
  const pattern = new RegExp(`^(?:${patternOf(grammar) ?? ''})$`);
  compiled.set(grammar, pattern);
  return pattern;
}

function alternatives(texts: readonly string[]): string {
  return `(?:${texts.map((text) => text.replace(/[^A-Za-z0-9_]/g, (character) => `\\${character}`)).join('|')})`;
}
