import type { Command } from 'commander';

/** Adds examples to the end of a command's help, as the user has to type them. `note` goes before them. */
export function addExamples(
  command: Command,
  program: Command,
  examples: readonly string[],
  note?: string,
): void {
  const lines = examples.map((line) =>
    line.includes('{name}') ? line.replace('{name}', program.name()) : `${program.name()} ${line}`,
  );
  const heading = examples.length === 1 ? 'Example:' : 'Examples:';
  const before = note === undefined ? '' : `\n${note}\n`;
  command.addHelpText('after', `${before}\n${heading}\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
