import { normalizePath } from '../util/url-path.ts';
import type { FilterRequest } from './filter.ts';
import { quote } from './value-reader.ts';
import type { ValueReader } from './value-reader.ts';

// Paths that users want requests to end up on: checked when they are written, and again when they were put together.

export const MAX_PATH_LENGTH = 1024;

/** Starts with one slash; then what RFC 3986 lets stand in a path, so neither query nor fragment. */
export const PATH_PATTERN = String.raw`^/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@%][A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)?$`;
const PATH = new RegExp(PATH_PATTERN);
/** The characters alone, for pieces of a path. */
export const PATH_CHARACTERS = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
const ENCODED_SLASH = /%(?:2F|5C)/;

/** Reads an optional path that is already in normal form; undefined when left out or after a report. */
export function readTargetPath(value: unknown, field: string, reader: ValueReader): string | undefined {
  const path = reader.optionalString(value, field, MAX_PATH_LENGTH);
  if (path === undefined || (PATH.test(path) && normalizePath(path) === path)) return path;
  const want =
    "want a path that starts with one '/', in normal form, without query, fragment and dot segments";
  return reader.fault('SP4206', field, `Got ${quote(path)}, ${want}`);
}

/**
 * The request's path with the matched prefix replaced, by path element: `/api` by `/v2` makes `/api/x` into `/v2/x` and
 * never touches `/apix`. An exactly matched path is replaced whole. After a regex match there is no prefix: nothing changes.
 * Both parts are in normal form and the rest starts with '/', so the result is too.
 */
export function replaceMatchedPrefix(request: FilterRequest, replacement: string): string {
  const { path, matchedPath } = request;
  if (matchedPath.type === 'exact') return replacement;
  if (matchedPath.type === 'regex') return path;
  const prefix = withoutTrailingSlash(matchedPath.value);
  const rest = path.slice(prefix.length);
  if (!path.startsWith(prefix) || (rest !== '' && !rest.startsWith('/'))) return path;
  if (rest === '') return replacement;
  return withoutTrailingSlash(replacement) + rest;
}

/**
 * A path that was put together from parts of the request path `source`, or undefined when it must not be used: parts that
 * add up to a dot segment, to `//host` or to bytes that no request may bring. Doubled slashes further in are merged.
 */
export function checkedPath(assembled: string, source: string): string | undefined {
  if (assembled.startsWith('//')) return undefined;
  const merged = assembled.replace(/\/{2,}/g, '/');
  // Encoded slashes may go on where the request was let in with some, but must not arise here.
  const allowEncodedSlashes = ENCODED_SLASH.test(source);
  return normalizePath(merged, { allowEncodedSlashes }) === merged ? merged : undefined;
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
