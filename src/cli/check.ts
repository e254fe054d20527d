import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { addSourceOptions } from './command-source.ts';
import type { SourceFlags } from './command-source.ts';
import { addExamples } from './examples.ts';
import { count, outputOption, printData, printTable } from './output.ts';
import type { OutputFormat } from './output.ts';
import type { AddCommand } from './program.ts';
import { describeScope } from './row-selection.ts';

interface CheckFlags extends SourceFlags {
  readonly output: OutputFormat;
}

export const checkCommand: AddCommand = (program, context, finished) => {
  const command = program
    .command('check')
    .description(
      'say what is wrong with a folder of manifests, with a cluster, or with what a process serves',
    )
    .addOption(outputOption('table', 'json', 'yaml'));
  const open = addSourceOptions(command, context);
  addExamples(
    command,
    program,
    [
      'check --manifests ./manifests',
      'check -A',
      'check -n team-a --context staging',
      'check --admin localhost:10254',
      `check -A -o json | jq '.[] | select(.severity == "error")'`,
    ],
    'Exit code 1 when there is an error among the findings.',
  );
  command.action(async (flags: CheckFlags) => {
    const source = await open(flags);
    const { namespace } = source;
    const isAsked = (of: string): boolean => namespace === undefined || of === namespace || of === '';
    const findings = (await source.findings()).filter(({ object }) => isAsked(object.namespace));
    const routes = (await source.routes()).filter(({ object, id }) => id !== '' && isAsked(object.namespace));
    if (flags.output === 'json' || flags.output === 'yaml') context.out(printData(findings, flags.output));
    else if (findings.length > 0) context.out(findingsTable(findings, source.place));
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    context.err(
      `${count(routes.length, 'route')}, ${count(findings.length, 'finding')}, ${count(errors, 'error')} in ${describeScope(source)}\n`,
    );
    const unserved = routes.length === 0 ? (source.unserved?.() ?? '') : '';
    if (unserved !== '') context.err(`${unserved}\n`);
    finished(errors > 0 ? 1 : 0);
  });
};

/**
 * The findings, then what to do about each code: hints are the same for all findings of a code. Where they were declared
 * is shown when that is known of any; `place` stands for the others.
 */
export function findingsTable(diagnostics: readonly Diagnostic[], place: string): string {
  const hasFiles = diagnostics.some(({ location }) => location !== undefined);
  const rows = diagnostics.map(({ severity, code, location, object, path, message }) => [
    ...(hasFiles ? [location === undefined ? place : `${location.file}:${location.line}`] : []),
    severity,
    code,
    describeRef(object),
    path === '' ? message : `${path}: ${message}`,
  ]);
  const hints = new Map(diagnostics.map(({ code, hint }) => [code, hint]));
  const heading = [...(hasFiles ? ['WHERE'] : []), 'SEVERITY', 'CODE', 'OBJECT', 'FINDING'];
  return `${printTable(heading, rows)}\n${printTable(['CODE', 'WHAT TO DO'], [...hints])}`;
}
