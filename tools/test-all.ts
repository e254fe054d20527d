// Runs every test and ends with one line: `N passed, N failed, N skipped`. Exits 1 on a failure, on a run that found
// no test, and on a skipped test that test/allowed-skips.txt does not list. Tests that this machine lacks something for
// (a cluster, Helm, Docker) may be skipped too; one line says how many and how to run them. Arguments go to jest.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { isRequired, needs } from '../test/support/cluster/needs.ts';

const root = join(import.meta.dirname, '..');
const timeLimitMs = 20 * 60_000;

/** The part of jest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly SuiteResult[];
}

interface SuiteResult {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** `file > full name of the test`. */
  readonly skipped: readonly string[];
}

/** Counts tests. A suite that failed without a failed test (it did not load, a hook threw) counts as one failure. */
export function tally(report: Report, base: string): Tally {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  for (const suite of report.testResults) {
    const failures = suite.assertionResults.filter(({ status }) => status === 'failed').length;
    failed += suite.status === 'failed' ? Math.max(failures, 1) : failures;
    for (const { status, fullName } of suite.assertionResults) {
      if (status === 'passed') passed++;
      else if (status !== 'failed') skipped.push(`${relative(base, suite.name)} > ${fullName}`);
    }
  }
  return { passed, failed, skipped };
}

/** Lines of the list of allowed skips: a prefix of `file > full name`; `#` starts a comment. */
export function parseAllowed(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Skipped tests that no line of the list covers. */
export function unlisted(skipped: readonly string[], allowed: readonly string[]): readonly string[] {
  return skipped.filter((name) => !allowed.some((prefix) => name.startsWith(prefix)));
}

/** One line for each thing that this machine lacks, and the skips that none of them explains. */
export function explainSkips(
  skipped: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): {
  readonly lines: readonly string[];
  readonly unexplained: readonly string[];
} {
  const lines: string[] = [];
  let unexplained = skipped;
  for (const need of Object.values(needs)) {
    const lacking = unexplained.filter((name) => name.includes(need.mark));
    if (lacking.length === 0 || isRequired(need, environment)) continue;
    unexplained = unexplained.filter((name) => !name.includes(need.mark));
    const files = new Set(lacking.map((name) => name.split(' > ')[0])).size;
    const count = `${lacking.length} in ${files} file${files === 1 ? '' : 's'}`;
    lines.push(`!!! ${need.tests.toUpperCase()} DID NOT RUN (${count}): ${need.remedy}`);
  }
  return { lines, unexplained };
}

async function runJest(output: string, extra: readonly string[]): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--json',
      `--outputFile=${output}`,
      ...extra,
    ],
    // Jest prints its report as JSON on stdout as well; what people read goes to stderr.
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), timeLimitMs);
  const ended = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (_, signal) => resolve(signal === null));
  });
  clearTimeout(timer);
  return ended;
}

function readReport(output: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(output, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const output = join(folder, 'report.json');
  const ended = await runJest(output, process.argv.slice(2));
  const report = readReport(output);
  rmSync(folder, { recursive: true, force: true });
  const { passed, failed, skipped } =
    report === undefined ? { passed: 0, failed: 0, skipped: [] } : tally(report, root);
  const { lines, unexplained } = explainSkips(skipped);
  const surprising = unlisted(
    unexplained,
    parseAllowed(readFileSync(join(root, 'test/allowed-skips.txt'), 'utf8')),
  );
  for (const line of lines) process.stdout.write(`${line}\n`);
  for (const name of unexplained) {
    process.stdout.write(
      `${surprising.includes(name) ? 'skipped, not in test/allowed-skips.txt' : 'skipped'}: ${name}\n`,
    );
  }
  // A run that broke down counts as one failure, so that its last line cannot be read as a success.
  const broken = !ended || report === undefined || passed + failed === 0 ? 1 : 0;
  if (broken === 1) process.stdout.write('the test run broke down before its end\n');
  process.exitCode = failed + broken + surprising.length > 0 ? 1 : 0;
  process.stdout.write(`${passed} passed, ${failed + broken} failed, ${skipped.length} skipped\n`);
}

if (import.meta.main) await main();
