import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import type { ParseContext } from './parse-context.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the untyped value of a filter. Every fault is reported, not only the first: read all fields, then look at
 * `failed` once. Paths are relative to the filter's value, as ParseContext wants them.
 */
export class ValueReader {
  readonly #context: ParseContext;
  #failed = false;

  constructor(context: ParseContext) {
    this.#context = context;
  }

  /** Whether anything was reported so far. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Reports a fault that the caller found itself. */
  fault(code: DiagnosticCode, path: string, message: string): undefined {
    this.#failed = true;
    this.#context.error(code, path, message);
    return undefined;
  }

  /** An object without other keys than the known ones. */
  object(value: unknown, path: string, known: readonly string[]): Fields | undefined {
    if (!isFields(value)) return this.fault('SP4201', path, `Got ${describe(value)}, want an object`);
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) {
        this.fault(
          'SP4201',
          fieldPath(path, key),
          `Unknown field ${quote(key)}, want one of ${known.join(', ')}`,
        );
      }
    }
    return value;
  }

  /** An array of at most `maxItems`; undefined reads as an empty one. */
  list(value: unknown, path: string, maxItems: number): readonly unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.fault('SP4201', path, `Got ${describe(value)}, want a list`);
      return [];
    }
    if (value.length <= maxItems) return value as readonly unknown[];
    this.fault('SP4201', path, `Got ${value.length} items, want at most ${maxItems}`);
    return [];
  }

  /** A string of at most `maxLength` UTF-16 units. */
  string(value: unknown, path: string, maxLength: number): string | undefined {
    if (typeof value !== 'string') return this.fault('SP4201', path, `Got ${describe(value)}, want a string`);
    if (value.length <= maxLength) return value;
    return this.fault('SP4201', path, `Got ${value.length} characters, want at most ${maxLength}`);
  }

  /** As `string`, but undefined is allowed and reads as undefined. */
  optionalString(value: unknown, path: string, maxLength: number): string | undefined {
    return value === undefined ? undefined : this.string(value, path, maxLength);
  }

  /** One of the listed values, or undefined when left out. */
  optionalChoice<T extends string | number>(
    value: unknown,
    path: string,
    choices: readonly T[],
  ): T | undefined {
    if (value === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === value);
    return choice ?? this.fault('SP4201', path, `Got ${describe(value)}, want one of ${choices.join(', ')}`);
  }

  /** True or false, or undefined when left out. */
  optionalBoolean(value: unknown, path: string): boolean | undefined {
    if (value === undefined || typeof value === 'boolean') return value;
    return this.fault('SP4201', path, `Got ${describe(value)}, want true or false`);
  }

  /** An integer within the bounds, or undefined when left out. */
  optionalInteger(value: unknown, path: string, [min, max]: readonly [number, number]): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.fault('SP4201', path, `Got ${describe(value)}, want an integer from ${min} to ${max}`);
  }
}

/** `set` + `name` → `set.name`; '' + `set` → `set`. */
export function fieldPath(parent: string, key: string): string {
  return parent === '' ? key : `${parent}.${key}`;
}

/** A value as a message shows it: shortened, control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}
