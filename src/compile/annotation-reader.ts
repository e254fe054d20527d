import {
  annotationFault,
  FALSE_SPELLINGS,
  maxLengthOf,
  TRUE_SPELLINGS,
  trimmed,
  wantedOf,
  wordsOf,
} from '../filters/annotation-grammar.ts';
import type { AnnotationSpec } from '../filters/filter.ts';
import { quote } from '../filters/value-reader.ts';
import { compiledAnnotations } from './annotation-docs.ts';
import type { ObjectContext } from './object-context.ts';

/** Always understood, and stronger than the settable prefix. */
const OWN_PREFIX = 'sallyport.dev';

const TRUE = new Set(TRUE_SPELLINGS);
const FALSE = new Set(FALSE_SPELLINGS);
const specs = new Map(compiledAnnotations.map((spec) => [spec.name, spec]));

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

  /** Whether there is any annotation whose name starts so: most objects have none of a family. */
  hasFamily(start: string): boolean {
    for (const name of this.keys.keys()) if (name.startsWith(start)) return true;
    return false;
  }

  /** Field path of an annotation, for diagnostics. */
  path(name: string): string {
    return `metadata.annotations[${this.keys.get(name) ?? name}]`;
  }

  /** A value that is no boolean is reported and counts as false. */
  boolean(name: string): boolean {
    return TRUE.has(this.#fitting(name));
  }

  /** What is no integer within the bounds of its grammar is reported and reads as the default. */
  integer(name: string): number {
    return Number(this.#fitting(name) || specOf(name).default);
  }

  /** As `integer`, but undefined when it is absent or, after a report, out of its grammar. */
  optionalInteger(name: string): number | undefined {
    const text = this.#fitting(name, 'what holds without it');
    return text === '' ? undefined : Number(text);
  }

  /** Words that the grammar does not have are reported and left out. */
  words(name: string): readonly string[] {
    const { grammar } = specOf(name);
    const text = this.get(name) ?? '';
    if (grammar.kind !== 'words' || text.length > (maxLengthOf(grammar) ?? Infinity)) {
      return wordsOf(this.#fitting(name));
    }
    const known = new Set(grammar.words);
    const words = new Set(wordsOf(text));
    for (const word of words) {
      if (known.has(word)) continue;
      const message = `Leaving out ${quote(word)}, want ${wantedOf(grammar)}`;
      this.#context.report('SP4252', this.path(name), message);
    }
    return [...words].filter((word) => known.has(word));
  }

  /** The trimmed value; '' when it is absent or, after a report, does not fit: its default then holds. */
  text(name: string): string {
    return this.#fitting(name);
  }

  /**
   * As `text`, for what must not be done without: undefined after a report of an error, and the routes must fail closed.
   */
  protective(name: string): string | undefined {
    const want = this.fault(name);
    if (want === undefined) return trimmed(this.get(name) ?? '');
    const message = `Not serving the routes of this object: got ${quote(trimmed(this.get(name) ?? ''))}, want ${want}`;
    this.#context.report('SP4005', this.path(name), message);
    return undefined;
  }

  /** What is wanted instead of a value, as the end of a message; undefined for one that fits its grammar. */
  fault(name: string): string | undefined {
    return annotationFault(specOf(name).grammar, this.get(name) ?? '');
  }

  /** The trimmed value; '' when it is absent or, after a report, does not fit. */
  #fitting(name: string, used = specOf(name).default): string {
    const text = trimmed(this.get(name) ?? '');
    const want = this.fault(name);
    if (want === undefined) return text;
    this.#context.report('SP4252', this.path(name), `Got ${quote(text)}, want ${want}; using ${used}`);
    return '';
  }
}

function specOf(name: string): AnnotationSpec {
  const spec = specs.get(name);
  if (spec === undefined) throw new Error(`No grammar is declared for the annotation ${quote(name)}`);
  return spec;
}

export function isFalse(text: string): boolean {
  return FALSE.has(trimmed(text));
}

function keysUnder(annotations: ReadonlyMap<string, string>, prefix: string): [string, string][] {
  const start = `${prefix}/`;
  return [...annotations.keys()]
    .filter((key) => key.startsWith(start))
    .map((key) => [key.slice(start.length), key]);
}
