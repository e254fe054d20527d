import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startNginxBackend } from '../backends/nginx-backend.ts';
import type { SteadyCount } from '../clients/steady-count.ts';
import { startSteadyLoad } from '../clients/steady-load.ts';
import { hostName, ingress, saveManifest } from '../harness/manifests.ts';
import { withRunning } from '../harness/measure.ts';
import type { Bench } from '../harness/measure.ts';
import { median } from '../harness/result.ts';
import type { RunningPeer } from '../peers/peer.ts';
import { sallyport } from '../peers/sallyport.ts';
import type { Scenario } from './scenario.ts';

const HOSTS = 1000;
const CONNECTIONS = 32;
const PROBE_HOST = 'probe.bench.example';
/** A save that is not live by then fails the scenario. */
const LIVE_LIMIT_MS = 5000;
const WARM_UP_MS = 5000;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', path, agent, headers: { Host: PROBE_HOST } },
      (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    outgoing.once('error', reject).end();
  });
}

/** Saves one Ingress with another path and waits until that path is served. Returns the milliseconds from save to live. */
async function swap(peer: RunningPeer, manifests: string, number: number): Promise<number> {
  const began = performance.now();
  saveManifest(manifests, 'probe.yaml', [ingress('probe', PROBE_HOST, `/probe-${number}`)]);
  while ((await statusOf(peer.port, `/probe-${number}`)) !== 200) {
    if (performance.now() - began > LIVE_LIMIT_MS)
      throw new Error(`save ${number} was not live after ${LIVE_LIMIT_MS} ms`);
    await delay(2);
  }
  return performance.now() - began;
}

async function swapUnderLoad(bench: Bench, peer: RunningPeer, manifests: string) {
  const swaps = bench.quick ? 50 : 1000;
  return withRunning(
    startSteadyLoad({ port: peer.port, connections: CONNECTIONS, host: hostName(0), warmUpMs: WARM_UP_MS }),
    async (load) => {
      await delay(bench.quick ? 2000 : 15_000);
      const quiet = await load.count();
      const live: number[] = [];
      for (let number = 0; number < swaps; number++) live.push(await swap(peer, manifests, number));
      return { swaps, quiet, busy: await load.count(), live };
    },
  );
}

const values = (count: SteadyCount, liveMs: readonly number[]) => ({
  requests: count.requests,
  failed: count.failed,
  closed: count.closed,
  p50Ms: count.p50Ms,
  p99Ms: count.p99Ms,
  liveP50Ms: liveMs.length === 0 ? null : median(liveMs),
  liveP99Ms: liveMs.toSorted((a, b) => a - b)[Math.floor((liveMs.length - 1) * 0.99)] ?? null,
});

export const swapsUnderLoad: Scenario = {
  id: 'swaps',
  title: 'Table swaps under load',
  run: async (bench) => {
    const folder = bench.folder('sallyport');
    const { swaps, quiet, busy, live } = await withRunning(
      startNginxBackend(bench.folder('backend')),
      (backend) =>
        withRunning(sallyport.start({ backendPort: backend.port, folder, hosts: HOSTS }), (peer) =>
          swapUnderLoad(bench, peer, join(folder, 'manifests')),
        ),
    );
    agent.destroy();
    return {
      how:
        `${swaps} saves of one manifest among ${HOSTS} Ingresses, each live before the next, ` +
        `while ${CONNECTIONS} keep-alive connections ask every 5 ms`,
      columns: [
        { key: 'requests', label: 'requests', digits: 0 },
        { key: 'failed', label: 'failed', digits: 0 },
        { key: 'closed', label: 'closed', digits: 0 },
        { key: 'p50Ms', label: 'p50 ms', digits: 2 },
        { key: 'p99Ms', label: 'p99 ms', digits: 2 },
        { key: 'liveP50Ms', label: 'save→live p50 ms', digits: 1 },
        { key: 'liveP99Ms', label: 'save→live p99 ms', digits: 1 },
      ],
      rows: [
        { name: 'no swaps', values: values(quiet, []) },
        { name: `${swaps} swaps`, values: values(busy, live) },
      ],
      verdicts: [
        { text: 'failed requests', value: busy.failed, limit: 0, sense: 'at most' },
        { text: 'closed connections', value: busy.closed, limit: 0, sense: 'at most' },
        { text: 'p99 with swaps to without', value: busy.p99Ms / quiet.p99Ms, limit: 1.2, sense: 'at most' },
      ],
    };
  },
};
