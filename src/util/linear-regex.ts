import { RE2JS } from 're2js';

/** Longest pattern that is taken, in UTF-8 bytes. */
export const MAX_PATTERN_BYTES = 1024;

/** Longest program: time to match is at most its length times that of the text. */
const MAX_PROGRAM = 2000;

/** Why a pattern was refused. Reads on from `pattern "…": `. */
export interface RegexFault {
  readonly reason: string;
}

/** Where a pattern was found. `groups[0]` is the whole of it; a group that took no part is undefined. */
export interface RegexMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

/** A user's pattern in RE2 syntax. Time to match grows linearly with the text, whatever the pattern. */
export class LinearRegex {
  readonly pattern: string;
  /** Capture groups, without the whole. */
  readonly groupCount: number;
  /** Number of each named group. */
  readonly groupNames: ReadonlyMap<string, number>;
  readonly #regex: RE2JS;

  constructor(pattern: string, regex: RE2JS) {
    this.pattern = pattern;
    this.#regex = regex;
    this.groupCount = regex.groupCount();
    this.groupNames = new Map(Object.entries(regex.namedGroups()));
  }

  /** Whether the pattern matches the whole text. */
  matches(text: string): boolean {
    return this.#regex.testExact(text);
  }

  /** Whether the pattern occurs anywhere in the text. */
  occursIn(text: string): boolean {
    return this.#regex.test(text);
  }

  /** The match of the whole text with its groups, or undefined. */
  matchWhole(text: string): RegexMatch | undefined {
    const matcher = this.#regex.matcher(text);
    return matcher.matches() ? this.#read(matcher) : undefined;
  }

  /** The leftmost match with its groups, or undefined. */
  find(text: string): RegexMatch | undefined {
    const matcher = this.#regex.matcher(text);
    return matcher.find() ? this.#read(matcher) : undefined;
  }

  #read(matcher: ReturnType<RE2JS['matcher']>): RegexMatch {
    const groups = Array.from(
      { length: this.groupCount + 1 },
      (_, index) => matcher.group(index) ?? undefined,
    );
    return { start: matcher.start(), end: matcher.end(), groups };
  }
}

/** Compiles a user's pattern (RE2 syntax: no look-around, no back-references), or says why it cannot be used. */
export function compileLinear(pattern: string): LinearRegex | RegexFault {
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) {
    return { reason: `want at most ${MAX_PATTERN_BYTES} bytes` };
  }
  // Estimated first, because counted repetitions would be multiplied out while compiling.
  if (estimateProgram(pattern) > MAX_PROGRAM) return tooLarge;
  try {
    const regex = RE2JS.compile(pattern);
    return regex.programSize() > MAX_PROGRAM ? tooLarge : new LinearRegex(pattern, regex);
  } catch (error) {
    return {
      reason: error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error),
    };
  }
}

export function isRegexFault(result: LinearRegex | RegexFault): result is RegexFault {
  return !(result instanceof LinearRegex);
}

const tooLarge: RegexFault = Object.freeze({ reason: 'repetitions make it too large; want smaller counts' });

const token = /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\{(\d+)(,(\d*))?\}|[\s\S]/gu;

/** Instructions that a pattern compiles to, roughly: what stands before a counted repetition counts that many times. */
function estimateProgram(pattern: string): number {
  const sums: number[] = [];
  let sum = 0;
  let last = 0;
  for (const [text, least, range, most] of pattern.matchAll(token)) {
    if (text === '(') {
      sums.push(sum);
      sum = 0;
      last = 0;
    } else if (text === ')') {
      last = sum;
      sum += sums.pop() ?? 0;
    } else if (least === undefined) {
      last = 1;
      sum += 1;
    } else {
      const times = range === undefined || most === '' ? Number(least) : Number(most);
      sum += last * Math.max(0, times - 1);
      last *= Math.max(1, times);
    }
  }
  return sums.reduce((total, part) => total + part, sum);
}
