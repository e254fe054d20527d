// Everything that can be said about the tree without running it: types, lint, format, generated files, layers, goldens.
// One line a step; a step that fails prints what it found. Arguments choose steps by name.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const jest = [
  process.execPath,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(root, 'node_modules/jest/bin/jest.js'),
  '--silent',
];

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** What makes it pass again, where a command does. */
  readonly repair?: string;
  /** The step is left out while this path does not exist. */
  readonly needs?: string;
}

const steps: readonly Step[] = [
  { name: 'types', command: [bin('tsc'), '-p', 'tsconfig.json'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', command: [bin('prettier'), '--check', '--log-level=warn', '.'], repair: 'make format' },
  { name: 'layers', command: [process.execPath, 'tools/layers.ts', '--check'], repair: 'make generate' },
  {
    name: 'generated',
    command: [process.execPath, 'tools/generate.ts', '--check'],
    repair: 'make generate',
    needs: 'tools/generate.ts',
  },
  {
    name: 'manifests',
    command: [process.execPath, 'tools/manifests/render.ts', '--check'],
    repair: 'make manifests',
  },
  { name: 'architecture', command: [...jest, 'test/architecture.test.ts'] },
  {
    name: 'golden',
    command: [...jest, 'test/golden/'],
    repair: 'make golden',
    needs: 'test/golden/golden.test.ts',
  },
];

async function run(step: Step): Promise<boolean> {
  const began = performance.now();
  const [file, ...args] = step.command;
  if (file === undefined) throw new Error(`step ${step.name} has no command`);
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${step.name.padEnd(12)} ${seconds} s\n`);
  if (code === 0) return true;
  const said = Buffer.concat(chunks).toString();
  // What was said went into a pipe, and not every tool gives up its colours for that: oxlint keeps them when CI is set.
  process.stdout.write(process.stdout.isTTY ? said : stripVTControlCharacters(said));
  if (step.repair !== undefined) process.stdout.write(`     ${step.repair} may repair this\n`);
  return false;
}

const wanted = process.argv.slice(2);
const chosen = steps
  .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  .filter(({ needs }) => needs === undefined || existsSync(join(root, needs)));
let failures = 0;
for (const step of chosen) if (!(await run(step))) failures++;
if (failures > 0 || chosen.length === 0) {
  process.stdout.write(`${failures} of ${chosen.length} checks failed\n`);
  process.exitCode = 1;
}
