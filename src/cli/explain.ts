import { isIP } from 'node:net';

import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { explain, explainableTable } from '../proxy/explain.ts';
import { explanationText } from '../proxy/explain-text.ts';
import type { RouteOrigin } from '../table/route-table.ts';
import { findingsTable, outputOption } from './check.ts';
import { UsageError } from './command-context.ts';
import { compileFolder, compileSettings } from './compile-folder.ts';
import { printData } from './output.ts';
import type { OutputFormat } from './output.ts';
import type { AddCommand } from './program.ts';
import { addSettingOptions, readSettings } from './setting-options.ts';

const examples = `
Exit code 1 when no route forwards the request.

Examples:
  sallyport explain http://shop.example/cart --manifests ./manifests
  sallyport explain shop.example/api -X POST -H 'x-canary: always' --manifests ./manifests -o yaml`;

interface ExplainOptions {
  readonly method: string;
  readonly header: readonly string[];
  readonly client: string;
  readonly output: OutputFormat;
}

export const explainCommand: AddCommand = (program, context, finished) => {
  const command = program
    .command('explain')
    .argument('<url>', 'http://host/path?query')
    .description('say which route serves a request, and why the others do not')
    .option('-X, --method <method>', 'method of the request', 'GET')
    .option('-H, --header <name:value>', 'header field of the request; may be repeated', collect, [])
    .option('--client <address>', "the client's address", '127.0.0.1')
    .addOption(outputOption())
    .addHelpText('after', examples);
  const given = addSettingOptions(command, compileSettings);
  command.action(async (url: string, options: ExplainOptions) => {
    const settings = readSettings(given, context);
    const headers = options.header.map(parseHeader);
    if (isIP(options.client) === 0) {
      throw new UsageError(`Read --client: ${JSON.stringify(options.client)} is not an IPv4 or IPv6 address`);
    }
    const { table, diagnostics } = await compileFolder(settings);
    const explanation = explain(explainableTable(table), {
      url,
      method: options.method,
      headers,
      clientAddress: options.client,
      allowEncodedSlashes: settings.encodedSlashes,
    });
    const findings = diagnostics.filter((diagnostic) => concerns(diagnostic, explanation.route?.origin));
    if (options.output !== 'table') context.out(printData({ ...explanation, findings }, options.output));
    else context.out(explanationText(explanation) + findingsText(findings, settings.manifests));
    finished(explanation.answer.kind === 'forward' ? 0 : 1);
  });
};

/** What is wrong with the object that the route came from, and with those that lost to it. */
function concerns({ object, winner }: Diagnostic, origin: RouteOrigin | undefined): boolean {
  if (origin === undefined) return false;
  const name = describeRef(origin);
  return describeRef(object) === name || (winner !== undefined && describeRef(winner) === name);
}

function findingsText(findings: readonly Diagnostic[], folder: string): string {
  return findings.length === 0 ? '' : `\n${findingsTable(findings, folder)}`;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function parseHeader(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw new UsageError(`Read --header: ${JSON.stringify(text)} is not a field such as 'name: value'`);
  }
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
