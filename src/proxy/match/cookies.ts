import type { HeaderList } from '../../util/header-list.ts';

/**
 * Whether any cookie of this name has a value that `accepts` takes. Reads every Cookie field (HTTP/2 sends crumbs), splits
 * at `;`, trims spaces and tabs, takes names and values as they are: no decoding, no unquoting (RFC 6265 §5.4).
 */
export function anyCookie(headers: HeaderList, name: string, accepts: (value: string) => boolean): boolean {
  for (let index = headers.indexOf('cookie'); index >= 0; index = headers.indexOf('cookie', index + 1)) {
    if (anyCrumb(headers.values[index] ?? '', name, accepts)) return true;
  }
  return false;
}

/** Value of the first cookie of this name, or undefined. */
export function firstCookie(headers: HeaderList, name: string): string | undefined {
  let found: string | undefined;
  anyCookie(headers, name, (value) => {
    found = value;
    return true;
  });
  return found;
}

function anyCrumb(field: string, name: string, accepts: (value: string) => boolean): boolean {
  let start = 0;
  while (start < field.length) {
    const semicolon = field.indexOf(';', start);
    const end = semicolon < 0 ? field.length : semicolon;
    const from = skipSpace(field, start, end);
    if (field.startsWith(name, from) && field[from + name.length] === '=' && from + name.length < end) {
      if (accepts(field.slice(from + name.length + 1, end).trimEnd())) return true;
    }
    start = end + 1;
  }
  return false;
}

function skipSpace(field: string, start: number, end: number): number {
  let index = start;
  while (index < end && (field[index] === ' ' || field[index] === '\t')) index++;
  return index;
}
