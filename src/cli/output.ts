import { dump } from 'js-yaml';

export const outputFormats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Plain data as JSON or YAML. */
export function printData(data: unknown, format: 'json' | 'yaml'): string {
  if (format === 'json') return `${JSON.stringify(data, undefined, 2)}\n`;
  // JSON first: members that are undefined are left out, as there.
  return dump(JSON.parse(JSON.stringify(data)), { lineWidth: 120 });
}

/** Rows under a heading in columns two spaces apart. Control characters cannot get at the terminal. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [heading, ...rows].map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, '?')));
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return cells.map((row) => `${line(row)}\n`).join('');
}
