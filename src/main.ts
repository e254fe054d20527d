import { runCommandLine } from './cli/program.ts';

// The process's entry. Everything that it does, it does through a command (src/cli).
process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  out: writerTo(() => process.stdout),
  err: writerTo(() => process.stderr),
});

/**
 * The stream is opened at the first write: opening standard output makes pipes blocking, which `run` must avoid, as it
 * writes its log by other means. A reader that leaves early, such as `head`, is no error.
 */
function writerTo(open: () => NodeJS.WriteStream): (text: string) => void {
  let stream: NodeJS.WriteStream | undefined;
  return (text) => {
    stream ??= open().on('error', () => undefined);
    stream.write(text);
  };
}
