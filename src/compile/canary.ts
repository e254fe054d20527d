import { trimmed } from '../filters/annotation-grammar.ts';
import { quote } from '../filters/value-reader.ts';
import type { Forward, SplitOverride, WeightedBackend } from '../table/route-table.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import type { ObjectContext } from './object-context.ts';

// Canary annotations. A canary Ingress makes no routes of its own: its backends join the route of the main Ingress that
// has the same host, path and path type, and everything but the backend comes from there. Unlike ingress-nginx, where a
// canary rides on the main's upstream, it concerns that route only, never other routes to the same Service.

/** How a canary takes its share. */
export interface CanarySplit {
  /** 0…total. */
  readonly weight: number;
  readonly total: number;
  /** The first that holds decides, before the weight. `backend` counts in canaries: 0 is the main, 1 the canary. */
  readonly overrides: readonly SplitOverride[];
}

const MAIN = 0;
const CANARY = 1;
const DEFAULT_TOTAL = 100;

/** Whether the object is a canary. */
export function isCanary(reader: AnnotationReader, context: ObjectContext): boolean {
  if (reader.boolean('canary')) return true;
  const [unused] = [...reader.keys.keys()].filter((name) => name.startsWith('canary-'));
  if (unused !== undefined) {
    const message = 'Ignoring the annotation: without the annotation canary: "true" the object is no canary';
    context.report('SP4101', reader.path(unused), message);
  }
  return false;
}

/** The split of a canary, or undefined after a report when it cannot be used: all requests then go to the main. */
export function parseCanary(reader: AnnotationReader, context: ObjectContext): CanarySplit | undefined {
  const header = readName('canary-by-header', reader, context);
  const cookie = readName('canary-by-cookie', reader, context);
  const isPatternUsable = checkPattern(reader, context);
  // Totals of 100 and less are not taken, as in ingress-nginx.
  const total = Math.max(DEFAULT_TOTAL, reader.integer('canary-weight-total'));
  const weight = Math.min(total, reader.integer('canary-weight'));
  if (header === undefined || cookie === undefined || !isPatternUsable) return undefined;
  return { weight, total, overrides: [...headerOverrides(header, reader), ...cookieOverrides(cookie)] };
}

/** The main's forward with the canary's backend beside its own. */
export function withCanary(main: Forward, canary: WeightedBackend, split: CanarySplit): Forward {
  const [stable] = main.backends;
  if (stable === undefined) return main;
  return {
    ...main,
    backends: [
      { ...stable, weight: split.total - split.weight },
      { upstream: canary.upstream, weight: split.weight, role: 'canary', fallback: MAIN, requires: MAIN },
    ],
    overrides: split.overrides,
    split: { by: 'random' },
  };
}

function headerOverrides(name: string, reader: AnnotationReader): readonly SplitOverride[] {
  if (name === '') return [];
  const header = { source: 'header', name: name.toLowerCase() } as const;
  const value = reader.get('canary-by-header-value') ?? '';
  if (value !== '') return [{ ...header, type: 'exact', value, backend: CANARY }];
  const pattern = reader.get('canary-by-header-pattern') ?? '';
  return pattern === ''
    ? alwaysNever(header)
    : [{ ...header, type: 'regex', value: pattern, backend: CANARY }];
}

function cookieOverrides(name: string): readonly SplitOverride[] {
  return name === '' ? [] : alwaysNever({ source: 'cookie', name });
}

/** False after a report. */
function checkPattern(reader: AnnotationReader, context: ObjectContext): boolean {
  const annotation = 'canary-by-header-pattern';
  const fault = reader.fault(annotation);
  if (fault === undefined) return true;
  const message = `Sending everything to the main backend: pattern ${quote(reader.get(annotation) ?? '')}: ${fault}`;
  context.report('SP4103', reader.path(annotation), message);
  return false;
}

/** '' when the annotation is absent, undefined when it holds no name. */
function readName(annotation: string, reader: AnnotationReader, context: ObjectContext): string | undefined {
  const name = trimmed(reader.get(annotation) ?? '');
  const want = reader.fault(annotation);
  if (want === undefined) return name;
  const message = `Sending everything to the main backend: got ${quote(name)}, want ${want}`;
  context.report('SP4102', reader.path(annotation), message);
  return undefined;
}

function alwaysNever(source: Pick<SplitOverride, 'source' | 'name'>): readonly SplitOverride[] {
  return [
    { ...source, type: 'exact', value: 'always', backend: CANARY },
    { ...source, type: 'exact', value: 'never', backend: MAIN },
  ];
}
