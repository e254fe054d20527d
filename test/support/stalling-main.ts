import { runCommandLine } from '../../src/cli/program.ts';

/** How long the main thread stands still at each SIGUSR2. */
const stallMs = 5000;

// `sallyport` as it is, whose main thread besides can be stopped from outside.
process.on('SIGUSR2', () => {
  process.stderr.write('stalled\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
  process.stderr.write('back\n');
});
process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
