import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { startSteadyLoad } from '../clients/steady-load.ts';
import { makeChanges, namedChanges } from '../cluster/changes.ts';
import type { WorkersPage } from '../cluster/changes.ts';
import { hostOf } from '../cluster/objects.ts';
import { Prober } from '../cluster/probe.ts';
import { WORKERS, adminPage, startRig } from '../cluster/rig.ts';
import type { Rig } from '../cluster/rig.ts';
import { withRunning } from '../harness/measure.ts';
import type { Bench } from '../harness/measure.ts';
import { cpuSeconds, processTree, residentBytes } from '../harness/process.ts';
import { median } from '../harness/result.ts';
import type { Row, Verdict } from '../harness/result.ts';
import { benchFolder } from '../harness/tools.ts';
import type { Scenario } from './scenario.ts';

const OBJECTS = 10_000;
const CHANGES = 500;
const CHURN_PER_SECOND = 100;
const LOAD_CONNECTIONS = 5;
/** So many connections leave no worker out, whatever the kernel's hash does; it is checked all the same. */
const PROBES = 12;

interface Counts {
  readonly objects: number;
  readonly perKind: number;
  readonly restSeconds: number;
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;

async function openProbes({ port, adminPort }: Rig): Promise<Prober> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const prober = new Prober();
    await prober.open(port, PROBES);
    const { workers } = await adminPage<WorkersPage>(adminPort, '/debug/workers');
    if (workers.length === WORKERS && workers.every(({ connections }) => connections > 0)) return prober;
    prober.close();
  }
  throw new Error('the probes do not reach every worker');
}

/** Resident memory and CPU time while nothing changes. Status was written by then: it is waited for. */
async function rest(
  { process: { pid } }: Rig,
  { restSeconds }: Counts,
): Promise<{ rssMiB: number; cpuShare: number }> {
  const pids = processTree(pid);
  let before = cpuSeconds(pids);
  // At rest is a process that used less than a tenth of a core over two seconds.
  for (;;) {
    await delay(2000);
    const now = cpuSeconds(pids);
    if (now - before < 0.2) break;
    before = now;
  }
  before = cpuSeconds(pids);
  await delay(restSeconds * 1000);
  return { rssMiB: residentBytes(pids) / 2 ** 20, cpuShare: (cpuSeconds(pids) - before) / restSeconds };
}

async function changeAll(rig: Rig, name: string, first: number, count: number): Promise<readonly Row[]> {
  const prober = await openProbes(rig);
  const rows: Row[] = [];
  try {
    for (const { kind, change } of namedChanges) {
      const times = await makeChanges(rig, prober, { change, count, first });
      rows.push({
        name: `${kind}, ${name}`,
        values: {
          changes: times.length,
          p50Ms: median(times),
          p99Ms: quantile(times, 0.99),
          maxMs: Math.max(...times),
        },
      });
    }
  } finally {
    prober.close();
  }
  return rows;
}

interface Churn {
  stop(): Promise<{ readonly made: number; readonly failed: number }>;
}

function startChurn({ cluster, address, backends }: Rig, services: number): Churn {
  const script = join(benchFolder, 'clients/churn-client.ts');
  const ports = backends.map(({ port }) => String(port));
  const args = [cluster.kubeconfig, String(CHURN_PER_SECOND), String(services), address, ...ports];
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const line = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('the churn ended early')));
  });
  return {
    stop: async () => {
      child.stdin.end();
      return JSON.parse(await line) as { made: number; failed: number };
    },
  };
}

/** The Ingress goes back to `/`, which the endpoint changes look at. */
async function underChurn(rig: Rig, counts: Counts) {
  const target = { port: rig.port, connections: LOAD_CONNECTIONS, host: hostOf(0), warmUpMs: 3000 };
  return withRunning(startSteadyLoad(target), async (load) => {
    const churn = startChurn(rig, counts.objects);
    const began = performance.now();
    await load.count();
    const rows = await changeAll(rig, 'under churn and load', counts.perKind, counts.perKind);
    const count = await load.count();
    const { made, failed } = await churn.stop();
    const seconds = (performance.now() - began) / 1000;
    return { rows, count, churn: { perSecond: made / seconds, failed } };
  });
}

async function run(bench: Bench, rig: Rig, counts: Counts) {
  const { rssMiB, cpuShare } = await rest(rig, counts);
  bench.log(`  at rest: ${rssMiB.toFixed(0)} MiB, ${(cpuShare * 100).toFixed(1)} % of a core`);
  const alone = await changeAll(rig, 'alone', 0, counts.perKind);
  const { rows: churned, count, churn } = await underChurn(rig, counts);
  const start: Row = {
    name: 'start',
    values: { readySeconds: rig.readyMs / 1000, rssMiB, cpuPercent: cpuShare * 100 },
  };
  const load: Row = {
    name: 'load during churn',
    values: { requests: count.requests, failed: count.failed, p50Ms: count.p50Ms, p99Ms: count.p99Ms },
  };
  bench.log(
    `  churn: ${churn.perSecond.toFixed(0)} changes/s, ${churn.failed} of them refused by the API server`,
  );
  return {
    rows: [start, ...alone, ...churned, load],
    verdicts: verdicts(rssMiB, [...alone, ...churned], count.failed),
  };
}

function verdicts(rssMiB: number, rows: readonly Row[], failed: number): readonly Verdict[] {
  return [
    { text: 'resident memory, MiB', value: rssMiB, limit: 500, sense: 'at most' },
    ...rows.map(({ name, values }) => ({
      text: `${name}, p99 ms`,
      value: values['p99Ms'] ?? null,
      limit: namedChanges.find(({ kind }) => name.startsWith(kind))?.limitMs ?? 0,
      sense: 'at most' as const,
    })),
    { text: 'requests lost during churn', value: failed, limit: 0, sense: 'at most' },
  ];
}

export const clusterChanges: Scenario = {
  id: 'cluster-changes',
  title: 'Changes in a cluster of 10,000 Ingresses',
  run: async (bench) => {
    const counts: Counts = bench.quick
      ? { objects: 500, perKind: 10, restSeconds: 5 }
      : { objects: OBJECTS, perKind: Math.ceil(CHANGES / namedChanges.length), restSeconds: 30 };
    const { rows, verdicts: outcome } = await withRunning(startRig(bench, counts.objects), (rig) =>
      run(bench, rig, counts),
    );
    return {
      how:
        `A real kube-apiserver with ${counts.objects} Ingresses, Services and EndpointSlices each, all of one process on this ` +
        `machine, ${WORKERS} workers; it logs in by a kubeconfig, so its memory holds the Kubernetes client, which a pod does without. From the answer to a write to the first answer of the new state in every worker ` +
        `(certificates: to its acknowledgement by every worker and a handshake that shows it). Churn: ${CHURN_PER_SECOND} endpoint changes a second to other ` +
        `Services; load: ${LOAD_CONNECTIONS} connections that ask every 5 ms`,
      columns: [
        { key: 'readySeconds', label: 'ready s', digits: 1 },
        { key: 'rssMiB', label: 'RSS MiB', digits: 0 },
        { key: 'cpuPercent', label: 'CPU at rest %', digits: 1 },
        { key: 'changes', label: 'changes', digits: 0 },
        { key: 'requests', label: 'requests', digits: 0 },
        { key: 'failed', label: 'failed', digits: 0 },
        { key: 'p50Ms', label: 'p50 ms', digits: 1 },
        { key: 'p99Ms', label: 'p99 ms', digits: 1 },
        { key: 'maxMs', label: 'max ms', digits: 1 },
      ],
      rows,
      verdicts: outcome,
    };
  },
};
