/**
 * One condition on labels. `notIn` holds, as in Kubernetes, for objects without the label too; `values` is empty for
 * `exists` and `absent`.
 */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notIn' | 'exists' | 'absent';
  readonly values: readonly string[];
}

/** All of them must hold; an empty selector selects everything. */
export type LabelSelector = readonly LabelRequirement[];

export interface LabelSelectorFault {
  /** Quotes the part that is wrong, then says what is wanted. No full stop. */
  readonly fault: string;
}

const keyPattern = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;
const presence = /^(!?)\s*([^\s!=<>(),]+)$/;
const equality = /^([^\s!=<>(),]+)\s*(==|=|!=)\s*([^\s!=<>(),]*)$/;
const membership = /^([^\s!=<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/;

const MAX_LENGTH = 4096;

/** Reads Kubernetes' notation: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. Never throws. */
export function parseLabelSelector(text: string): LabelSelector | LabelSelectorFault {
  if (text.length > MAX_LENGTH) return { fault: `Got ${text.length} characters, want at most ${MAX_LENGTH}` };
  if (text.trim() === '') return [];
  const requirements: LabelRequirement[] = [];
  for (const part of splitOutsideParentheses(text)) {
    const requirement = readRequirement(part.trim());
    const fault = requirement === undefined ? wants(part, WANTED) : checkNames(requirement);
    if (fault !== undefined) return { fault };
    if (requirement !== undefined) requirements.push(requirement);
  }
  return requirements;
}

export function isSelectorFault(parsed: LabelSelector | LabelSelectorFault): parsed is LabelSelectorFault {
  return 'fault' in parsed;
}

export function matchesLabels(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = labels.get(key);
    switch (operator) {
      case 'in':
        return value !== undefined && values.includes(value);
      case 'notIn':
        return value === undefined || !values.includes(value);
      case 'exists':
        return value !== undefined;
      default:
        return value === undefined;
    }
  });
}

const WANTED = 'a=b, a!=b, a in (b,c), a notin (b,c), a or !a';

function splitOutsideParentheses(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    if (character !== ',' || depth > 0) continue;
    parts.push(text.slice(start, index));
    start = index + 1;
  }
  return [...parts, text.slice(start)];
}

function readRequirement(part: string): LabelRequirement | undefined {
  const [isPresence, not, name = ''] = presence.exec(part) ?? [];
  if (isPresence !== undefined) return { key: name, operator: not === '!' ? 'absent' : 'exists', values: [] };
  const [isEquality, left = '', sign, right = ''] = equality.exec(part) ?? [];
  if (isEquality !== undefined)
    return { key: left, operator: sign === '!=' ? 'notIn' : 'in', values: [right] };
  const [isMembership, key = '', word, list = ''] = membership.exec(part) ?? [];
  if (isMembership === undefined) return undefined;
  const values = [...new Set(list.split(',').map((value) => value.trim()))];
  return { key, operator: word === 'in' ? 'in' : 'notIn', values };
}

function checkNames({ key, values }: LabelRequirement): string | undefined {
  if (!keyPattern.test(key)) return wants(key, 'the name of a label, such as team or example.com/team');
  const bad = values.find((value) => !valuePattern.test(value));
  return bad === undefined
    ? undefined
    : wants(bad, 'the value of a label (letters, digits, hyphens, underscores and dots, at most 63)');
}

function wants(text: string, wanted: string): string {
  const trimmed = text.trim();
  return `Got ${JSON.stringify(trimmed.length > 80 ? `${trimmed.slice(0, 80)}…` : trimmed)}, want ${wanted}`;
}
