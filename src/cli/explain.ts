import { isIP } from 'node:net';

import { explain, explainableTable } from '../proxy/explain.ts';
import { explanationText } from '../proxy/explain-text.ts';
import { outputOption } from './check.ts';
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
    const { table } = await compileFolder(settings);
    const explanation = explain(explainableTable(table), {
      url,
      method: options.method,
      headers,
      clientAddress: options.client,
      allowEncodedSlashes: settings.encodedSlashes,
    });
    context.out(
      options.output === 'table' ? explanationText(explanation) : printData(explanation, options.output),
    );
    finished(explanation.answer.kind === 'forward' ? 0 : 1);
  });
};

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
