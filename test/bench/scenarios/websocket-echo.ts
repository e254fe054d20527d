import { setTimeout as delay } from 'node:timers/promises';

import { startNodeBackend } from '../backends/start-node-backend.ts';
import { startSteadyLoad } from '../clients/steady-load.ts';
import { withPeers, withRunning } from '../harness/measure.ts';
import type { Bench } from '../harness/measure.ts';
import { hostName } from '../harness/manifests.ts';
import { cpuSeconds, processTree, residentBytes } from '../harness/process.ts';
import { median, ratio } from '../harness/result.ts';
import type { Row, Verdict } from '../harness/result.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

const WARM_UP_MS = 3000;

interface Target {
  readonly name: string;
  readonly port: number;
  readonly process?: RunningPeer;
}

interface Sample {
  readonly messages: number;
  readonly cpuMicros: number;
  readonly kibibytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

async function sample(bench: Bench, { port, process: running }: Target, streams: number): Promise<Sample> {
  const pids = running === undefined ? [] : processTree(running.pid);
  const memory = residentBytes(pids);
  const load = { client: 'echo-client.ts', port, connections: streams, host: hostName(0) } as const;
  return withRunning(startSteadyLoad({ ...load, warmUpMs: WARM_UP_MS }), async (client) => {
    const held = residentBytes(pids);
    await client.count();
    const before = cpuSeconds(pids);
    await delay(bench.seconds * 1000);
    const { requests, failed, closed, p50Ms, p99Ms } = await client.count();
    const cpuMicros = ((cpuSeconds(pids) - before) * 1e6) / requests;
    const kibibytes = (held - memory) / 1024 / streams;
    return { messages: requests, cpuMicros, kibibytes, p50Ms, p99Ms, errors: failed + closed };
  });
}

/** Memory is that of the first round: later ones find what the allocator kept. */
function summarise({ name, process: running }: Target, samples: readonly Sample[]): Row {
  const middle = (key: keyof Sample): number => median(samples.map((one) => one[key]));
  return {
    name,
    values: {
      cpuMicros: running === undefined ? null : middle('cpuMicros'),
      kibibytes: running === undefined ? null : (samples[0]?.kibibytes ?? null),
      p50Ms: middle('p50Ms'),
      p99Ms: middle('p99Ms'),
      messages: samples.reduce((sum, one) => sum + one.messages, 0),
      errors: samples.reduce((sum, one) => sum + one.errors, 0),
    },
  };
}

async function measureAll(
  bench: Bench,
  targets: readonly Target[],
  streams: number,
): Promise<readonly Row[]> {
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]));
  // A first, smaller wave compiles code and fills pools, so that memory counts streams only.
  for (const target of targets) await sample(bench, target, Math.ceil(streams / 10));
  for (let round = 0; round < bench.rounds; round++) {
    for (let offset = 0; offset < targets.length; offset++) {
      const target = targets[(round + offset) % targets.length]!;
      const one = await sample(bench, target, streams);
      samples.get(target.name)!.push(one);
      const cpu = target.process === undefined ? '' : `${one.cpuMicros.toFixed(1)} µs CPU, `;
      bench.log(`  ${target.name}: ${cpu}p99 ${one.p99Ms.toFixed(2)} ms, ${one.errors} errors`);
    }
  }
  const rows = targets.map((target) => summarise(target, samples.get(target.name)!));
  return rows.map((row) => ({
    ...row,
    values: { ...row.values, toNginx: ratio(rows, 'cpuMicros', row.name, 'nginx') },
  }));
}

function verdicts(rows: readonly Row[]): readonly Verdict[] {
  const own = rows.find(({ name }) => name === 'sallyport')?.values;
  const direct = rows.find(({ name }) => name === 'direct')?.values['p99Ms'];
  const p99 = own?.['p99Ms'];
  const added = typeof p99 === 'number' && typeof direct === 'number' ? p99 - direct : null;
  return [
    {
      text: 'CPU time per message, sallyport to nginx',
      value: ratio(rows, 'cpuMicros', 'sallyport', 'nginx'),
      limit: 2,
      sense: 'at most',
    },
    { text: 'p99 added, ms', value: added, limit: 2, sense: 'at most' },
    { text: 'KiB per stream', value: own?.['kibibytes'] ?? null, limit: 40, sense: 'at most' },
    { text: 'sallyport errors', value: own?.['errors'] ?? null, limit: 0, sense: 'at most' },
  ];
}

export const websocketEcho: Scenario = {
  id: 'websocket-echo',
  title: 'WebSocket echo',
  run: async (bench) => {
    const streams = bench.quick ? 200 : 1000;
    const rows = await withRunning(startNodeBackend('echo-backend', bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port, tunnels: true }, (running) => {
        const proxies = [...running].map(([name, peer]) => ({ name, port: peer.port, process: peer }));
        return measureAll(bench, [{ name: 'direct', port: backend.port }, ...proxies], streams);
      }),
    );
    return {
      how:
        `${streams} streams over HTTP/1.1, each sending a message of 64 bytes every 200 ms that a server sends back; ` +
        'CPU time for both ways of a message, memory before and after the streams were opened',
      columns: [
        { key: 'cpuMicros', label: 'CPU µs/message', digits: 1 },
        { key: 'toNginx', label: 'to nginx', digits: 2 },
        { key: 'kibibytes', label: 'KiB/stream', digits: 1 },
        { key: 'p50Ms', label: 'p50 ms', digits: 2 },
        { key: 'p99Ms', label: 'p99 ms', digits: 2 },
        { key: 'messages', label: 'messages', digits: 0 },
        { key: 'errors', label: 'errors', digits: 0 },
      ],
      rows,
      verdicts: verdicts(rows),
    };
  },
};
