import { Command, CommanderError } from 'commander';

import { backendsCommand } from './backends.ts';
import { checkCommand } from './check.ts';
import { UsageError } from './command-context.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { addExamples } from './examples.ts';
import { explainCommand } from './explain.ts';
import { routesCommand } from './routes.ts';
import { runCommand } from './run.ts';
import { versionCommand, versionText } from './version.ts';

// The command line. In: arguments and environment. Out: an exit code; results on stdout, messages on stderr.
// Each command is one file that parses its flags, calls what does the work and prints. No work is done here.

/** A command adds itself to the program and reports its exit code through `finished`. */
export type AddCommand = (
  program: Command,
  context: CommandContext,
  finished: (code: ExitCode) => void,
) => void;

const commands: readonly AddCommand[] = [
  runCommand,
  routesCommand,
  backendsCommand,
  explainCommand,
  checkCommand,
  versionCommand,
];

/** What the user typed to get here; bin/kubectl-sallyport says so, for usage lines and examples. */
function commandName({ environment }: CommandContext): string {
  return environment['SALLYPORT_COMMAND_NAME'] ?? 'sallyport';
}

/** Runs one command. Never throws for what a user can cause. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = new Command(commandName(context))
    .description('Kubernetes ingress controller with hot-swapped routes')
    .version(versionText)
    .configureOutput({
      writeOut: (text) => context.out(text),
      writeErr: (text) => context.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'sallyport: ')),
    })
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride();
  addExamples(program, program, [
    'routes -A',
    'explain http://shop.example/cart',
    'check --manifests ./manifests',
    'run --manifests ./manifests',
  ]);
  for (const add of commands) {
    add(program, context, (result) => {
      code = result;
    });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Help and version end in an error of exit code 0; all others of commander's are about usage.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    context.err(`sallyport: ${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
