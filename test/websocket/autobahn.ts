import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { startProxy } from '../support/data-plane-harness.ts';
import { findCommand } from '../support/find-command.ts';
import { startWebSocketEcho } from '../support/websocket-echo.ts';

// The Autobahn suite for WebSocket servers, against an echo server directly and through the proxy: each case must end the
// same way. The suite's program is `wstest`, on the PATH or named by WSTEST; it is the Python package autobahntestsuite,
// which wants Python 2.7.
//   node test/websocket/autobahn.ts                 every case (some 520; those of 12 and 13 take minutes)
//   node test/websocket/autobahn.ts '1.*' '5.*'     these
// Exit code 1 when a case differs.

const DIRECT = 'direct';
const THROUGH = 'through';

/** How one case ended. */
export interface CaseOutcome {
  /** OK, NON-STRICT, INFORMATIONAL, UNIMPLEMENTED, FAILED. */
  readonly behavior: string;
  readonly behaviorClose: string;
  /** Null where no close frame came. */
  readonly remoteCloseCode: number | null;
}

export interface Comparison {
  readonly cases: number;
  /** One line each. */
  readonly differences: readonly string[];
  /** How often each outcome came, directly. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** The program of the suite, where there is one that works. */
export function findAutobahn(): string | undefined {
  return process.env['WSTEST'] ?? findCommand('wstest');
}

type Report = Readonly<Record<string, Readonly<Record<string, CaseOutcome>>>>;

/** Runs these cases both ways. */
export async function compareCases(wstest: string, cases: readonly string[]): Promise<Comparison> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-autobahn-'));
  const echo = await startWebSocketEcho({ maxPayload: 2 ** 26 });
  const proxy = await startProxy([{ upstream: [echo.port] }]);
  try {
    const spec = {
      outdir: join(folder, 'reports'),
      servers: [
        { agent: DIRECT, url: `ws://127.0.0.1:${echo.port}` },
        { agent: THROUGH, url: `ws://127.0.0.1:${proxy.port}` },
      ],
      cases,
      'exclude-cases': [],
      'exclude-agent-cases': {},
    };
    await writeFile(join(folder, 'spec.json'), JSON.stringify(spec));
    await promisify(execFile)(wstest, ['-m', 'fuzzingclient', '-s', join(folder, 'spec.json')], {
      cwd: folder,
      maxBuffer: 2 ** 28,
    });
    return compare(JSON.parse(await readFile(join(folder, 'reports/index.json'), 'utf8')) as Report);
  } finally {
    await proxy.stop();
    await echo.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every case of both, by its outcome. */
export function compare(report: Report): Comparison {
  const direct = report[DIRECT] ?? {};
  const through = report[THROUGH] ?? {};
  const names = new Set([...Object.keys(direct), ...Object.keys(through)]);
  const differences: string[] = [];
  const outcomes = new Map<string, number>();
  for (const name of names) {
    const [one, other] = [text(direct[name]), text(through[name])];
    if (one !== other) differences.push(`${name}: ${DIRECT} ${one}, ${THROUGH} ${other}`);
    const behavior = direct[name]?.behavior ?? 'missing';
    outcomes.set(behavior, (outcomes.get(behavior) ?? 0) + 1);
  }
  return { cases: names.size, differences, outcomes };
}

function text(outcome: CaseOutcome | undefined): string {
  if (outcome === undefined) return 'missing';
  return `${outcome.behavior} ${outcome.behaviorClose} ${outcome.remoteCloseCode}`;
}

async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const wstest = findAutobahn();
  if (wstest === undefined) {
    process.stderr.write('run the Autobahn suite: no `wstest`, want it on the PATH or in WSTEST\n');
    process.exitCode = 2;
    return;
  }
  const { cases, differences, outcomes } = await compareCases(
    wstest,
    positionals.length > 0 ? positionals : ['*'],
  );
  for (const difference of differences) process.stdout.write(`${difference}\n`);
  const counts = [...outcomes].map(([name, count]) => `${count} ${name}`).join(', ');
  process.stdout.write(`${cases} cases (${counts}), ${differences.length} different through the proxy\n`);
  process.exitCode = differences.length > 0 || cases === 0 ? 1 : 0;
}

if (import.meta.main) await main();
