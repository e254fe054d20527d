import { CONTROL, LOWER_TOKEN, hasAny, isAll } from './byte-classes.ts';

// What a field of HTTP/2 may be by itself (RFC 9113 §8.2).

/** What a name means to the codec. */
export const Rule = {
  plain: 0,
  /** About one connection of HTTP/1.1 (§8.2.2). */
  connection: 1,
  te: 2,
  contentLength: 3,
  cookie: 4,
} as const;

export type Rule = (typeof Rule)[keyof typeof Rule];

const special: readonly (readonly [string, Rule])[] = [
  ['connection', Rule.connection],
  ['keep-alive', Rule.connection],
  ['proxy-connection', Rule.connection],
  ['transfer-encoding', Rule.connection],
  ['upgrade', Rule.connection],
  ['te', Rule.te],
  ['content-length', Rule.contentLength],
  ['cookie', Rule.cookie],
];

/** Names that were found good, so that the usual ones are looked up once. */
const knownNames = new Map<string, Rule>(special);
const MAX_KNOWN = 1024;
const MAX_KNOWN_LENGTH = 64;

/** The rule of a field name; undefined when it is no lower-case token. */
export function ruleOf(name: string): Rule | undefined {
  return knownNames.get(name) ?? learn(name);
}

function learn(name: string): Rule | undefined {
  if (name === '' || !isAll(name, LOWER_TOKEN)) return undefined;
  if (name.length > MAX_KNOWN_LENGTH) return Rule.plain;
  if (knownNames.size >= MAX_KNOWN) {
    // Starting anew is the cheapest bound that a flood of made-up names cannot turn against the real ones for long.
    knownNames.clear();
    for (const [known, rule] of special) knownNames.set(known, rule);
  }
  knownNames.set(name, Rule.plain);
  return Rule.plain;
}

/** Whether a value has no control bytes and no blanks at its edges. */
export function isGoodValue(value: string): boolean {
  if (value.length === 0) return true;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1))) return false;
  return !hasAny(value, CONTROL);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
