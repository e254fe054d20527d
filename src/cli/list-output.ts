import type { Command } from 'commander';

import type { CommandContext } from './command-context.ts';
import type { CommandSource } from './command-source.ts';
import { outputOption, printData, printTable } from './output.ts';
import type { OutputFormat } from './output.ts';
import { describeScope } from './row-selection.ts';

/** What the user typed about a list. */
export interface ListFlags {
  readonly output: OutputFormat;
  /** False after --no-headers. */
  readonly headers: boolean;
  readonly selector?: string;
}

export interface Column<T> {
  readonly heading: string;
  /** `wide`: with `-o wide` only. `namespaces`: when more than one may be shown. */
  readonly scope?: 'wide' | 'namespaces';
  readonly cell: (row: T) => string;
}

export interface ListOptions<T> {
  readonly flags: ListFlags;
  readonly context: CommandContext;
  readonly source: CommandSource;
  /** What a row is, for the message that there are none. */
  readonly noun: string;
  readonly columns: readonly Column<T>[];
  readonly nameOf: (row: T) => string;
}

export function addListOptions(command: Command): void {
  command
    .addOption(outputOption('table', 'wide', 'json', 'yaml', 'name'))
    .option('--no-headers', 'leave out the line of headings')
    .option('-l, --selector <labels>', 'objects whose labels match, as in app=shop,tier!=test');
}

/** Prints rows as the user asked. A table without rows is a message instead, as kubectl does it. */
export function printList<T>(rows: readonly T[], options: ListOptions<T>): void {
  const { flags, context, source, nameOf } = options;
  if (flags.output === 'json' || flags.output === 'yaml') {
    context.out(printData(rows, flags.output));
    return;
  }
  if (rows.length === 0) context.err(`No ${options.noun}s found in ${describeScope(source)}\n`);
  else if (flags.output === 'name') context.out(`${[...new Set(rows.map(nameOf))].join('\n')}\n`);
  else context.out(table(rows, options));
}

function table<T>(rows: readonly T[], { flags, source, columns }: ListOptions<T>): string {
  const shown = columns.filter(({ scope }) => {
    if (scope === 'wide') return flags.output === 'wide';
    return scope !== 'namespaces' || source.namespace === undefined;
  });
  const heading = shown.map((column) => column.heading);
  const cells = rows.map((row) => shown.map(({ cell }) => cell(row) || '<none>'));
  return printTable(heading, cells, { headers: flags.headers });
}
