const escaped = /[\\"\n]/g;

/** `a="x",b="y"` as in the Prometheus text format; backslash, quote and line feed are escaped. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, place) => `${name}="${escapeLabel(values[place] ?? '')}"`).join(',');
}

function escapeLabel(value: string): string {
  return value.replace(escaped, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
