import type {
  Filter,
  FilterRequest,
  FilterResponse,
  FilterSpec,
  LocalAnswer,
  RequestVerdict,
} from '../../src/filters/filter.ts';
import type { ParseContext } from '../../src/filters/parse-context.ts';
import { HeaderList } from '../../src/util/header-list.ts';

// Runs filters without a proxy: requests and responses from plain values, reports as values.

type Fields = Readonly<Record<string, string | readonly string[]>>;

/** What a test says of a request; everything else has a default. */
export interface RequestValues extends Partial<Omit<FilterRequest, 'headers'>> {
  readonly headers?: Fields;
}

export interface HarnessRequest extends FilterRequest {
  readonly headers: HeaderList;
}

export interface HarnessResponse extends FilterResponse {
  readonly headers: HeaderList;
}

/** `GET https://shop.example/`, matched by the prefix `/`, unless said otherwise. */
export function filterRequest(values: RequestValues = {}): HarnessRequest {
  const { headers, ...rest } = values;
  const host = values.host ?? 'shop.example';
  return {
    method: 'GET',
    scheme: 'https',
    host,
    port: values.scheme === 'http' ? 80 : 443,
    authority: host,
    path: '/',
    query: '',
    origin: firstOf(headers?.['Origin']),
    clientAddress: '192.0.2.7',
    matchedPath: { type: 'prefix', value: '/' },
    requestId: '0123456789abcdef0123456789abcdef',
    ...rest,
    headers: headerList(headers),
  };
}

export function filterResponse(status = 200, headers: Fields = {}): HarnessResponse {
  return { status, headers: headerList(headers) };
}

/** `name: value` lines, in order. */
export function headerLines(headers: HeaderList): readonly string[] {
  return headers.entries().map(([name, value]) => `${name}: ${value}`);
}

export interface Report {
  readonly level: 'error' | 'warning';
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

export interface Parsed<Config> {
  readonly config: Config | undefined;
  readonly reports: readonly Report[];
}

/** Runs the Route half of `parse`. */
export function parseRouteFilter<Config>(spec: FilterSpec<Config>, value: unknown): Parsed<Config> {
  const { context, reports } = collector();
  if (spec.route === undefined) throw new Error(`Filter ${spec.name} has no Route half`);
  return { config: spec.route.parse(value, context), reports };
}

/** Runs the annotation half of `parse` over bare names. */
export function parseAnnotations<Config>(
  spec: FilterSpec<Config>,
  annotations: Readonly<Record<string, string>>,
): Parsed<Config> {
  const { context, reports } = collector();
  if (spec.annotations === undefined) throw new Error(`Filter ${spec.name} reads no annotations`);
  const values = new Map(Object.entries(annotations));
  return { config: spec.annotations.parse((name) => values.get(name), context), reports };
}

/** Builds a filter from what a user would write in a Route; throws when that has faults. */
export function filterFrom<Config>(spec: FilterSpec<Config>, value: unknown): Filter {
  return build(spec, parseRouteFilter(spec, value));
}

/** Builds a filter from annotations; throws when they have faults or ask for nothing. */
export function filterFromAnnotations<Config>(
  spec: FilterSpec<Config>,
  annotations: Readonly<Record<string, string>>,
): Filter {
  return build(spec, parseAnnotations(spec, annotations));
}

/** The verdict of the request half; throws for a filter that waits, since the caller could not see that. */
export function runRequest(filter: Filter, request: FilterRequest): LocalAnswer | undefined {
  const verdict: RequestVerdict | Promise<RequestVerdict> = filter.onRequest?.(request);
  if (verdict instanceof Promise) throw new Error('The filter waits: await onRequest instead');
  return verdict;
}

function build<Config>(spec: FilterSpec<Config>, { config, reports }: Parsed<Config>): Filter {
  if (config === undefined || reports.length > 0) {
    throw new Error(`Filter ${spec.name} was not built: ${JSON.stringify(reports)}`);
  }
  // As on its way to a worker.
  return spec.create(structuredClone(config));
}

function collector(): { readonly context: ParseContext; readonly reports: readonly Report[] } {
  const reports: Report[] = [];
  const context: ParseContext = {
    error: (code, path, message) => void reports.push({ level: 'error', code, path, message }),
    warn: (code, path, message) => void reports.push({ level: 'warning', code, path, message }),
  };
  return { context, reports };
}

function firstOf(values: string | readonly string[] = ''): string {
  return typeof values === 'string' ? values : (values[0] ?? '');
}

function headerList(fields: Fields = {}): HeaderList {
  const list = new HeaderList();
  for (const [name, values] of Object.entries(fields)) {
    for (const value of typeof values === 'string' ? [values] : values) list.append(name, value);
  }
  return list;
}
