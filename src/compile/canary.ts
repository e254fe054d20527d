import { quote } from '../filters/value-reader.ts';
import type { Forward, SplitOverride, WeightedBackend } from '../table/route-table.ts';
import { compileLinear, isRegexFault } from '../util/linear-regex.ts';
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
const MAX_TOTAL = 1_000_000_000;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

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
  const headers = headerOverrides(reader, context);
  const cookies = cookieOverrides(reader, context);
  if (headers === undefined || cookies === undefined) return undefined;
  const bounds = { min: 0, max: MAX_TOTAL };
  // Totals of 100 and less are not taken, as in ingress-nginx.
  const total = Math.max(DEFAULT_TOTAL, reader.integer('canary-weight-total', DEFAULT_TOTAL, bounds));
  const weight = Math.min(total, reader.integer('canary-weight', 0, bounds));
  return { weight, total, overrides: [...headers, ...cookies] };
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

function headerOverrides(
  reader: AnnotationReader,
  context: ObjectContext,
): readonly SplitOverride[] | undefined {
  const name = readName('canary-by-header', reader, context);
  if (name === undefined || name === '') return name === undefined ? undefined : [];
  const header = { source: 'header', name: name.toLowerCase() } as const;
  const value = reader.get('canary-by-header-value') ?? '';
  if (value !== '') return [{ ...header, type: 'exact', value, backend: CANARY }];
  const pattern = reader.get('canary-by-header-pattern') ?? '';
  if (pattern === '') return alwaysNever(header);
  const regex = compileLinear(pattern);
  if (!isRegexFault(regex)) return [{ ...header, type: 'regex', value: pattern, backend: CANARY }];
  const message = `Sending everything to the main backend: pattern ${quote(pattern)}: ${regex.reason}`;
  context.report('SP4103', reader.path('canary-by-header-pattern'), message);
  return undefined;
}

function cookieOverrides(
  reader: AnnotationReader,
  context: ObjectContext,
): readonly SplitOverride[] | undefined {
  const name = readName('canary-by-cookie', reader, context);
  if (name === undefined || name === '') return name === undefined ? undefined : [];
  return alwaysNever({ source: 'cookie', name });
}

/** '' when the annotation is absent, undefined when it holds no name. */
function readName(annotation: string, reader: AnnotationReader, context: ObjectContext): string | undefined {
  const name = reader.get(annotation)?.trim() ?? '';
  if (name === '' || token.test(name)) return name;
  const message = `Sending everything to the main backend: got ${quote(name)}, want the name of a header or cookie`;
  context.report('SP4102', reader.path(annotation), message);
  return undefined;
}

function alwaysNever(source: Pick<SplitOverride, 'source' | 'name'>): readonly SplitOverride[] {
  return [
    { ...source, type: 'exact', value: 'always', backend: CANARY },
    { ...source, type: 'exact', value: 'never', backend: MAIN },
  ];
}
