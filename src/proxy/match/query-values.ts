/**
 * Whether any parameter of this name has a value that `accepts` takes. `query` has its leading '?' or is ''. Parameters are
 * split at `&`; names and values are decoded as forms are (`+` is a space, triplets are UTF-8); what does not decode
 * stands for itself. A parameter without `=` has the value ''.
 */
export function anyQueryValue(query: string, name: string, accepts: (value: string) => boolean): boolean {
  let start = 1;
  while (start < query.length) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    const mark = query.indexOf('=', start);
    const equals = mark < 0 || mark > end ? end : mark;
    if (equals > start && decode(query.slice(start, equals)) === name) {
      if (accepts(decode(query.slice(Math.min(equals + 1, end), end)))) return true;
    }
    start = end + 1;
  }
  return false;
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
