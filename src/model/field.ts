import type { TextCheck } from './text-checks.ts';

/** What is wrong with one field. `path` as in `spec.rules[0].http.paths[2].path`. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

interface TextOptions {
  /** Says what is wanted when the text is not that. */
  readonly check?: TextCheck;
  readonly maxLength?: number;
}

const defaultMaxLength = 4096;
/** A list longer than this is refused where the caller sets no bound; far above what the API server lets through. */
const defaultMaxItems = 20_000;

/**
 * One place in an untyped document, with its path. Readers report every fault to the shared list and answer with a
 * neutral value, so that one pass finds all faults; whoever decodes looks at the list once, at the end, and drops the
 * object when it is not empty. null counts as left out, as it does for the API server. Only own properties are read.
 */
export class Field {
  readonly value: unknown;
  readonly path: string;
  readonly #faults: Fault[];
  /** Values of a secret field are never quoted in messages. */
  readonly #secret: boolean;

  constructor(value: unknown, path: string, faults: Fault[], secret = false) {
    this.value = value;
    this.path = path;
    this.#faults = faults;
    this.#secret = secret;
  }

  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** The same field, its values and those below it never quoted. */
  hidden(): Field {
    return new Field(this.value, this.path, this.#faults, true);
  }

  /** Reports a fault at this field. */
  fault(message: string): void {
    this.#faults.push({ path: this.path, message });
  }

  /** Reports that the value is not what is wanted. */
  want(wanted: string): void {
    this.fault(`Got ${this.#described()}, want ${wanted}`);
  }

  /** A member; an absent field when this is no object (which `object` and `list` report, not this). */
  get(key: string): Field {
    const fields = asFields(this.value);
    const value = fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
    return new Field(value, childPath(this.path, key), this.#faults, this.#secret);
  }

  /** Checks that this is an object, and returns itself. */
  object(): this {
    if (asFields(this.value) === undefined) this.want('an object');
    return this;
  }

  /** undefined when left out, else as `object`. */
  optionalObject(): this | undefined {
    return this.absent ? undefined : this.object();
  }

  /** Reports every member whose name is not listed. */
  only(known: readonly string[]): this {
    for (const key of Object.keys(asFields(this.value) ?? {})) {
      if (!known.includes(key)) {
        this.get(key).fault(`Unknown field ${quote(key)}, want one of ${known.join(', ')}`);
      }
    }
    return this;
  }

  /** Own members in the order written; empty when left out. */
  members(): readonly (readonly [string, Field])[] {
    if (this.absent) return [];
    const fields = asFields(this.object().value) ?? {};
    return Object.keys(fields).map((key) => [key, this.get(key)] as const);
  }

  /** Items; empty when left out. */
  list(maxItems = defaultMaxItems): readonly Field[] {
    if (this.absent) return [];
    if (!Array.isArray(this.value)) {
      this.want('a list');
      return [];
    }
    if (this.value.length > maxItems) {
      this.fault(`Got ${this.value.length} items, want at most ${maxItems}`);
      return [];
    }
    return this.value.map(
      (item: unknown, index) => new Field(item, `${this.path}[${index}]`, this.#faults, this.#secret),
    );
  }

  /** As `list`, but must hold something. */
  filledList(maxItems?: number): readonly Field[] {
    const items = this.list(maxItems);
    if (this.absent || (Array.isArray(this.value) && this.value.length === 0)) {
      this.want('a list of at least one item');
    }
    return items;
  }

  /** Text that must be there and must not be empty. */
  text(options: TextOptions = {}): string {
    if (typeof this.value !== 'string' || this.value === '') {
      this.want('a text');
      return '';
    }
    return this.optionalText(options) ?? '';
  }

  /** undefined when left out. The empty text counts as left out, as it does for the API server. */
  optionalText({ check, maxLength = defaultMaxLength }: TextOptions = {}): string | undefined {
    if (this.absent || this.value === '') return undefined;
    if (typeof this.value !== 'string') {
      this.want('a text (quote it)');
      return undefined;
    }
    if (this.value.length > maxLength) {
      this.fault(`Got ${this.value.length} characters, want at most ${maxLength}`);
      return undefined;
    }
    const wanted = check?.(this.value);
    if (wanted !== undefined) this.want(wanted);
    return this.value;
  }

  /** One of the listed values; without a fallback it must be there. */
  choice<T extends string>(choices: readonly T[], fallback?: T): T {
    if (this.absent && fallback !== undefined) return fallback;
    const found = choices.find((choice) => choice === this.value);
    if (found === undefined) this.want(`one of ${choices.join(', ')}`);
    return found ?? (choices[0] as T);
  }

  /** As `choice`, but undefined when left out. */
  optionalChoice<T extends string>(choices: readonly T[]): T | undefined {
    return this.absent ? undefined : this.choice(choices);
  }

  /** An integer within the bounds; without a fallback it must be there. */
  integer(min: number, max: number, fallback?: number): number {
    if (this.absent && fallback !== undefined) return fallback;
    const { value } = this;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    this.want(`an integer from ${min} to ${max}`);
    return min;
  }

  /** As `integer`, but undefined when left out. */
  optionalInteger(min: number, max: number): number | undefined {
    return this.absent ? undefined : this.integer(min, max);
  }

  optionalBoolean(): boolean | undefined {
    if (this.absent) return undefined;
    if (typeof this.value === 'boolean') return this.value;
    this.want('true or false');
    return undefined;
  }

  /** Text by text, as labels and annotations are; empty when left out. */
  textMap(): ReadonlyMap<string, string> {
    const map = new Map<string, string>();
    for (const [key, field] of this.members()) {
      if (typeof field.value === 'string') map.set(key, field.value);
      else field.want('a text (quote it)');
    }
    return map;
  }

  #described(): string {
    if (this.#secret && !this.absent) return `${typeOf(this.value)} (not shown)`;
    return describe(this.value);
  }
}

/** `spec` + `rules` → `spec.rules`; keys that are no plain names stand in brackets, as kubectl writes them. */
export function childPath(parent: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${parent}[${key.length > 80 ? `${key.slice(0, 80)}…` : key}]`;
  return parent === '' ? key : `${parent}.${key}`;
}

/** A text as a message shows it: shortened, control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeOf(value);
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function asFields(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}
