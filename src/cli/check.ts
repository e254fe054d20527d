import { Option } from 'commander';

import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { compileFolder, compileSettings } from './compile-folder.ts';
import { outputFormats, printData, printTable } from './output.ts';
import type { OutputFormat } from './output.ts';
import type { AddCommand } from './program.ts';
import { addSettingOptions, readSettings } from './setting-options.ts';

const examples = `
Exit code 1 when there is an error among the findings.

Examples:
  sallyport check --manifests ./manifests
  sallyport check --manifests ./manifests -o json | jq '.[] | select(.severity == "error")'`;

export const checkCommand: AddCommand = (program, context, finished) => {
  const command = program
    .command('check')
    .description('say what is wrong with a folder of manifests')
    .addOption(outputOption())
    .addHelpText('after', examples);
  const given = addSettingOptions(command, compileSettings);
  command.action(async (options: { readonly output: OutputFormat }) => {
    const settings = readSettings(given, context);
    const { table, diagnostics } = await compileFolder(settings);
    if (options.output !== 'table') context.out(printData(diagnostics, options.output));
    else if (diagnostics.length > 0) context.out(findingsTable(diagnostics, settings.manifests));
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    context.err(summary(table.routes.size, diagnostics.length, errors));
    finished(errors > 0 ? 1 : 0);
  });
};

/** `-o table|json|yaml`. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print').choices([...outputFormats]).default('table');
}

/** The findings, then what to do about each code: hints are the same for all findings of a code. */
export function findingsTable(diagnostics: readonly Diagnostic[], folder: string): string {
  const rows = diagnostics.map(({ severity, code, location, object, path, message }) => [
    location === undefined ? folder : `${location.file}:${location.line}`,
    severity,
    code,
    describeRef(object),
    path === '' ? message : `${path}: ${message}`,
  ]);
  const hints = new Map(diagnostics.map(({ code, hint }) => [code, hint]));
  const findings = printTable(['WHERE', 'SEVERITY', 'CODE', 'OBJECT', 'FINDING'], rows);
  return `${findings}\n${printTable(['CODE', 'WHAT TO DO'], [...hints])}`;
}

function summary(routes: number, findings: number, errors: number): string {
  return `${count(routes, 'route')}, ${count(findings, 'finding')}, ${count(errors, 'error')}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
