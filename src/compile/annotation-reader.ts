import { quote } from '../filters/value-reader.ts';
import type { ObjectContext } from './object-context.ts';

/** Always understood, and stronger than the settable prefix. */
const OWN_PREFIX = 'sallyport.dev';

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** The annotations of one object that are meant for an ingress controller, by their names without prefix. */
export class AnnotationReader {
  /** Bare name → full key, where `sallyport.dev/` hides the other prefix. */
  readonly keys: ReadonlyMap<string, string>;
  readonly #annotations: ReadonlyMap<string, string>;
  readonly #context: ObjectContext;

  constructor(annotations: ReadonlyMap<string, string>, context: ObjectContext) {
    this.#annotations = annotations;
    this.#context = context;
    this.keys = new Map([
      ...keysUnder(annotations, context.options.annotationsPrefix),
      ...keysUnder(annotations, OWN_PREFIX),
    ]);
  }

  readonly get = (name: string): string | undefined => {
    const key = this.keys.get(name);
    return key === undefined ? undefined : this.#annotations.get(key);
  };

  /** Field path of an annotation, for diagnostics. */
  path(name: string): string {
    return `metadata.annotations[${this.keys.get(name) ?? name}]`;
  }

  /** Spellings as Go's ParseBool, which is what ingress-nginx takes; others count as false and are reported. */
  boolean(name: string): boolean {
    const text = this.get(name)?.trim() ?? '';
    if (TRUE.has(text)) return true;
    if (text !== '' && !FALSE.has(text)) this.#reportDefault(name, text, 'want true or false', 'false');
    return false;
  }

  /** A decimal integer within the bounds; anything else is reported and reads as the default. */
  integer(
    name: string,
    fallback: number,
    { min, max }: { readonly min: number; readonly max: number },
  ): number {
    const text = this.get(name)?.trim() ?? '';
    if (text === '') return fallback;
    const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.#reportDefault(name, text, `want an integer from ${min} to ${max}`, String(fallback));
    return fallback;
  }

  #reportDefault(name: string, text: string, want: string, used: string): void {
    this.#context.report('SP4252', this.path(name), `Got ${quote(text)}, ${want}; using ${used}`);
  }
}

export function isFalse(text: string): boolean {
  return FALSE.has(text.trim());
}

function keysUnder(annotations: ReadonlyMap<string, string>, prefix: string): [string, string][] {
  const start = `${prefix}/`;
  return [...annotations.keys()]
    .filter((key) => key.startsWith(start))
    .map((key) => [key.slice(start.length), key]);
}
