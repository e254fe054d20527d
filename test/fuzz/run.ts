import { parseArgs } from 'node:util';

import { checkInput, runBatch } from './fuzz.ts';
import type { Finding } from './fuzz.ts';
import { NodeRequestReader } from './node-reader.ts';
import { ProxyTarget } from './proxy-target.ts';
import { EndpointTarget } from './endpoint-target.ts';
import { Random } from './random.ts';
import { createTargets } from './targets.ts';

// Fuzzes the codecs for a given time: HTTP/1 beside Node's own parser, cut at random places, and writer to reader; HTTP/2
// header blocks, whole connections of both roles, requests beside node:http2, clients and endpoints of a running proxy; PROXY protocol
// headers.
//   node test/fuzz/run.ts --seconds 60 [--seed 1] [--only requests-beside-node]
//   node test/fuzz/run.ts --only requests-beside-node --seed 7 --input 474554…      one input again
// Exit code 1 when there was a finding.

const MAX_FINDINGS = 10;
const PROGRESS_MS = 5000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string' },
    input: { type: 'string' },
  },
});

const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const node = new NodeRequestReader();
const throughProxy = new ProxyTarget();
const fromEndpoints = new EndpointTarget();
const targets = [...createTargets(node), throughProxy, fromEndpoints].filter(
  ({ name }) => values.only === undefined || values.only === name,
);
const counts = new Map<string, number>();
const findings: Finding[] = [];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function report(finding: Finding): void {
  findings.push(finding);
  const hex = Buffer.from(finding.input, 'latin1').toString('hex');
  say(`FINDING ${finding.target}: ${finding.problem}`);
  say(`  input ${JSON.stringify(finding.input)}`);
  say(`  again: node test/fuzz/run.ts --only ${finding.target} --seed ${finding.seed} --input ${hex}`);
}

function progress(startMs: number): void {
  const counted = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  say(`${((performance.now() - startMs) / 1000).toFixed(0)} s: ${counted}; findings ${findings.length}`);
}

async function fuzz(seconds: number): Promise<void> {
  const random = new Random(seed);
  const startMs = performance.now();
  let nextProgressMs = startMs + PROGRESS_MS;
  say(`seed ${seed}, ${seconds} s, targets ${targets.map(({ name }) => name).join(', ')}`);
  while (performance.now() < startMs + seconds * 1000 && findings.length < MAX_FINDINGS) {
    for (const target of targets) {
      await runBatch(target, random, report);
      counts.set(target.name, (counts.get(target.name) ?? 0) + target.batch);
    }
    if (performance.now() < nextProgressMs) continue;
    progress(startMs);
    nextProgressMs += PROGRESS_MS;
  }
  progress(startMs);
}

async function again(hex: string): Promise<void> {
  const input = Buffer.from(hex, 'hex').toString('latin1');
  for (const target of targets) {
    const finding = await checkInput(target, input, seed);
    if (finding === undefined) say(`${target.name}: nothing wrong`);
    else report(finding);
  }
}

if (targets.length === 0) say(`no target is called ${values.only}`);
else if (values.input === undefined) await fuzz(Number(values.seconds));
else await again(values.input);
node.close();
await throughProxy.close();
await fromEndpoints.close();
process.exitCode = findings.length > 0 || targets.length === 0 ? 1 : 0;
