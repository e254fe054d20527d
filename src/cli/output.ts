import { Option } from 'commander';
import { dump } from 'js-yaml';

/** `wide` is a table with more columns; `name` is `kind/name` lines for other commands to read. */
export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** `-o`, with the formats that a command has. */
export function outputOption(...formats: readonly OutputFormat[]): Option {
  return new Option('-o, --output <format>', 'how to print').choices(formats).default('table');
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Plain data as JSON or YAML. */
export function printData(data: unknown, format: 'json' | 'yaml'): string {
  if (format === 'json') return `${JSON.stringify(data, undefined, 2)}\n`;
  // JSON first: members that are undefined are left out, as there.
  return dump(JSON.parse(JSON.stringify(data)), { lineWidth: 120 });
}

/** Rows under a heading in columns two spaces apart. Control characters cannot get at the terminal. */
export function printTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  { headers = true }: { readonly headers?: boolean } = {},
): string {
  const lines = headers ? [heading, ...rows] : rows;
  const cells = lines.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, '?')));
  const widths = heading.map((_, column) =>
    cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return cells.map((row) => `${line(row)}\n`).join('');
}
