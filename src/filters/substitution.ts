import type { LinearRegex, RegexMatch } from '../util/linear-regex.ts';

/** What a match is replaced by: a string stands for itself, a number for the capture group of that number. */
export type Substitution = readonly (string | number)[];

/** `$$`, `$1` … `$9`, `${12}`, `${name}`, or a lone `$`. */
const REFERENCE = /\$(?:(\$)|([1-9])|\{([^}]*)\})?/g;

export interface ParsedSubstitution {
  readonly parts: Substitution;
  /** References that lead to no group of the pattern, as written. */
  readonly unknown: readonly string[];
}

/** Parses a substitution: `$1` … `$9`, `${12}` and `${name}` are groups of `regex`, `$$` is a dollar sign. */
export function parseSubstitution(text: string, regex: LinearRegex): ParsedSubstitution {
  const parts: (string | number)[] = [];
  const unknown: string[] = [];
  let end = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const [reference, dollar, digit, name] = match;
    if (match.index > end) parts.push(text.slice(end, match.index));
    end = match.index + reference.length;
    const part = dollar ?? groupNumber(digit ?? name ?? '', regex);
    if (part === undefined) unknown.push(reference);
    else parts.push(part);
  }
  if (end < text.length) parts.push(text.slice(end));
  return { parts, unknown };
}

/** The text for one match; groups that took no part are empty. */
export function substitute(parts: Substitution, match: RegexMatch): string {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : (match.groups[part] ?? '');
  return text;
}

function groupNumber(reference: string, regex: LinearRegex): number | undefined {
  if (!/^[0-9]{1,3}$/.test(reference)) return regex.groupNames.get(reference);
  const number = Number(reference);
  return number <= regex.groupCount ? number : undefined;
}
