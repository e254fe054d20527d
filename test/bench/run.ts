// make bench: `node test/bench/run.ts [--only SCENARIO]… [--quick] [--without PEER]… [--list]`; make bench-cluster: the same
// with --cluster, for the scenarios that need an API server.
// Runs the scenarios one after the other, prints each table, and writes bench/results and docs/benchmarks.md.
// Listens on the loopback address only and ends what it started.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { Bench } from './harness/measure.ts';
import { machine, saveReport, section, verdictLine, writePage } from './harness/report.ts';
import type { Report } from './harness/report.ts';
import { isMet } from './harness/result.ts';
import { installSystemPackages } from './harness/tools.ts';
import type { Peer } from './peers/peer.ts';
import { peers } from './peers/registry.ts';
import { clusterScenarios, scenarios } from './scenarios/registry.ts';
import type { Scenario } from './scenarios/scenario.ts';

interface Found {
  readonly present: readonly Peer[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Before anything was started here: of scenarios in a row, each leaves load behind. */
const [loadBefore = 0] = loadavg();

const say = (message: string): void => void process.stdout.write(`${message}\n`);

async function findPeers(without: readonly string[]): Promise<Found> {
  const missing = await installSystemPackages();
  for (const program of ['nginx', 'wrk']) {
    if (missing.includes(program))
      throw new Error(`${program} is missing and could not be installed: nothing can be measured`);
  }
  if (missing.includes('h2load')) say('missing: h2load (what is measured over HTTP/2 will fail)');
  const present: Peer[] = [];
  const versions: Record<string, string> = { node: process.versions.node };
  for (const peer of peers.filter(({ name }) => !without.includes(name))) {
    const version = await peer.version().catch(() => undefined);
    if (version === undefined) {
      say(`missing: ${peer.name} (its rows and ratios are left out)`);
      continue;
    }
    present.push(peer);
    versions[peer.name] = version;
  }
  return { present, versions };
}

/** The scenarios with a cluster have no peer: what they are held to are times. */
function ownVersions(): Found {
  return { present: [], versions: { node: process.versions.node } };
}

function commandOf({ id }: Scenario): string {
  const target = clusterScenarios.some((scenario) => scenario.id === id) ? 'bench-cluster' : 'bench';
  return `make ${target} ARGS='--only ${id}'`;
}

async function runScenario(scenario: Scenario, bench: Bench, found: Found): Promise<Report> {
  say(`${scenario.title} (${scenario.id})`);
  const result = await scenario.run(bench);
  const command = commandOf(scenario);
  const date = new Date().toISOString().slice(0, 10);
  const head = { id: scenario.id, title: scenario.title, date, command };
  return { ...head, machine: machine(), load: loadBefore, versions: found.versions, ...result };
}

function publish(report: Report, quick: boolean): void {
  say(`\n${section(report)}\n`);
  if (!quick) saveReport(report);
  for (const verdict of report.verdicts.filter((one) => !isMet(one))) say(`MISSED ${verdictLine(verdict)}`);
}

/** An error and its causes in one line. */
function explain(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    messages.push(at instanceof Error ? at.message : JSON.stringify(at));
  }
  return messages.join(': ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      without: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      cluster: { type: 'boolean', default: false },
    },
  });
  const offered = values.cluster ? clusterScenarios : scenarios;
  if (values.list) return say(offered.map(({ id, title }) => `${id.padEnd(20)} ${title}`).join('\n'));
  const chosen = offered.filter(({ id }) => values.only.length === 0 || values.only.includes(id));
  if (chosen.length === 0) throw new Error(`no scenario is called ${values.only.join(', ')}: see --list`);
  const found = values.cluster ? ownVersions() : await findPeers(values.without);
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  let broken = 0;
  for (const scenario of chosen) {
    const bench: Bench = {
      peers: found.present,
      rounds: values.quick ? 1 : 3,
      seconds: values.quick ? 1 : 4,
      quick: values.quick,
      folder: (name) => {
        const folder = join(temporary, scenario.id, name);
        mkdirSync(folder, { recursive: true });
        return folder;
      },
      log: say,
    };
    const report = await runScenario(scenario, bench, found).catch((error: unknown) =>
      say(`FAILED ${explain(error)}`),
    );
    if (report === undefined) broken++;
    else publish(report, values.quick);
  }
  await writePage([...scenarios, ...clusterScenarios]);
  if (broken > 0) say(`output of what failed is in ${temporary}`);
  else rmSync(temporary, { recursive: true, force: true });
  process.exitCode = broken > 0 ? 1 : 0;
}

await main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
