import { isIP } from 'node:net';

import type { ExplainRequest } from '../proxy/explain-request.ts';
import { explanationText } from '../proxy/explain-text.ts';
import { findingsTable } from './check.ts';
import { UsageError } from './command-context.ts';
import { addSourceOptions } from './command-source.ts';
import type { FoundExplanation, SourceFlags } from './command-source.ts';
import { addExamples } from './examples.ts';
import { outputOption, printData } from './output.ts';
import type { OutputFormat } from './output.ts';
import type { AddCommand } from './program.ts';

interface ExplainFlags extends SourceFlags {
  readonly method: string;
  readonly header?: readonly string[];
  readonly client: string;
  readonly output: OutputFormat;
}

export const explainCommand: AddCommand = (program, context, finished) => {
  const command = program
    .command('explain')
    .argument('<url>', 'http://host/path?query, or https://; http where it is left out')
    .description('say which route serves a request, and why the others do not')
    .option('-X, --method <method>', 'method of the request', 'GET')
    .option('-H, --header <name:value>', 'header field of the request; may be repeated', collect)
    .option('--client <address>', "the client's address", '127.0.0.1')
    .addOption(outputOption('table', 'json', 'yaml'));
  const open = addSourceOptions(command, context);
  addExamples(
    command,
    program,
    [
      'explain https://shop.example/cart',
      "explain shop.example/api -X POST -H 'x-canary: always' --manifests ./manifests -o yaml",
      'explain https://shop.example/cart --admin localhost:10254',
    ],
    'Exit code 1 when no route forwards the request.',
  );
  command.action(async (url: string, flags: ExplainFlags) => {
    const request = readRequest(url, flags);
    const source = await open(flags);
    const explanation = await source.explain(request);
    if (flags.output === 'json' || flags.output === 'yaml') context.out(printData(explanation, flags.output));
    else context.out(explanationText(explanation) + findingsText(explanation, source.place));
    finished(explanation.answer.kind === 'forward' ? 0 : 1);
  });
};

function readRequest(url: string, { method, header = [], client }: ExplainFlags): ExplainRequest {
  if (isIP(client) === 0) {
    throw new UsageError(`Read --client: ${JSON.stringify(client)} is not an IPv4 or IPv6 address`);
  }
  return { url, method, headers: header.map(parseHeader), clientAddress: client };
}

function findingsText({ findings }: FoundExplanation, place: string): string {
  return findings.length === 0 ? '' : `\n${findingsTable(findings, place)}`;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function parseHeader(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw new UsageError(`Read --header: ${JSON.stringify(text)} is not a field such as 'name: value'`);
  }
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
