import { run, say, until, want } from './cluster-tools.ts';
import type { Scene } from './scene.ts';
import type { Address } from './traffic-agent.ts';

/** Fails when a request is lost while `act` runs. */
export async function underLoad({ agent }: Scene, address: Address, act: () => Promise<void>): Promise<void> {
  const { lost, ...report } = await agent.load(address, act);
  for (const line of lost.slice(0, 10)) say(line);
  want(
    lost.length === 0 && report.ok > 0,
    `${report.ok} of ${report.sent} requests answered in ${report.seconds.toFixed(0)} s, ${lost.length} lost, ` +
      `${report.repeated} repeated on a new connection`,
  );
}

/** Until the last old pod is gone, not only until the new ones are ready: what it still serves counts too. */
export async function settled(kubectl: string, namespace: string): Promise<void> {
  await until(
    'no pod is on its way out',
    async () => {
      const path = 'jsonpath={range .items[*]}{.metadata.deletionTimestamp}{end}';
      return run(kubectl, ['-n', namespace, 'get', 'pods', '-o', path], { quiet: true });
    },
    (text) => text === '',
    120_000,
  );
}

export async function rollUnderLoad(
  scene: Scene,
  address: Address,
  [namespace, workload]: readonly [namespace: string, workload: string],
): Promise<void> {
  const { kubectl } = scene;
  const rollout = ['-n', namespace, 'rollout'];
  await underLoad(scene, address, async () => {
    await run(kubectl, [...rollout, 'restart', workload]);
    await run(kubectl, [...rollout, 'status', workload, '--timeout=120s']);
    await settled(kubectl, namespace);
  });
}
