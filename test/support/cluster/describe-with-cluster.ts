// oxlint-disable jest/valid-title, jest/valid-describe-callback, jest/expect-expect, jest/no-disabled-tests -- it wraps `describe`
import { afterAll, beforeAll, describe, jest, test } from '@jest/globals';

import { findCommand } from '../find-command.ts';
import { findProgram } from './assets.ts';
import { chooseCluster, dockerAnswers } from './cluster-choice.ts';
import type { ClusterProvider } from './cluster-choice.ts';
import { isRequired, needs } from './needs.ts';
import type { NeedName } from './needs.ts';
import { startCluster } from './start-cluster.ts';
import type { ClusterOptions, TestCluster } from './start-cluster.ts';

/** Further things that some clusters cannot do. */
export type ClusterNeed =
  /** Audit log and outages: only an API server of our own has them. */
  'own-api-server';

const startLimitMs = 180_000;
const testLimitMs = 60_000;

/**
 * A `describe` with a cluster of its own, which is started before its tests and stopped after them. `body` gets a
 * function that returns it, to be called in tests and hooks. Tests may take a minute. Without a cluster the tests are
 * skipped, or fail where `SALLYPORT_REQUIRE_CLUSTER` is set.
 */
export function describeWithCluster(
  name: string,
  body: (cluster: () => TestCluster) => void,
  options: ClusterOptions & { readonly needs?: readonly ClusterNeed[] } = {},
): void {
  const provider = options.provider ?? chooseCluster();
  const lacking = lackingFor(provider, options.needs ?? []);
  let running: TestCluster | undefined;
  const cluster = (): TestCluster => {
    if (running === undefined)
      throw new Error('use the cluster: it has not started, want a call from a test or hook');
    return running;
  };
  if (lacking !== undefined) {
    leaveOut(lacking, name, () => body(cluster));
    return;
  }
  describe(name, () => {
    jest.setTimeout(testLimitMs);
    beforeAll(async () => {
      running = await startCluster({ ...options, ...(provider && { provider }) });
    }, startLimitMs);
    afterAll(async () => running?.stop(), testLimitMs);
    body(cluster);
  });
}

function lackingFor(
  provider: ClusterProvider | undefined,
  wanted: readonly ClusterNeed[],
): NeedName | undefined {
  if (provider === undefined) return 'cluster';
  return provider !== 'envtest' && wanted.includes('own-api-server') ? 'ownApiServer' : undefined;
}

/** A `describe` that runs Helm. `body` gets the path of the program. */
export function describeWithHelm(name: string, body: (helm: string) => void): void {
  const helm = findProgram('helm');
  if (helm === undefined) leaveOut('helm', name, () => body('helm'));
  else describe(name, () => body(helm));
}

/** A `describe` that runs h2spec. `body` gets the path of the program. */
export function describeWithH2spec(name: string, body: (h2spec: string) => void): void {
  const h2spec = findProgram('h2spec');
  if (h2spec === undefined) leaveOut('h2spec', name, () => body('h2spec'));
  else describe(name, () => body(h2spec));
}

/** A `describe` that runs a program of the machine. `body` gets its path. */
export function describeWithProgram(
  name: string,
  program: 'curl' | 'h2load' | 'go' | 'wstest',
  body: (program: string) => void,
): void {
  const path = (program === 'wstest' ? process.env['WSTEST'] : undefined) ?? findCommand(program);
  if (path === undefined) leaveOut(program, name, () => body(program));
  else describe(name, () => body(path));
}

/** A `describe` that talks to a Docker engine. */
export function describeWithDocker(name: string, body: () => void): void {
  if (dockerAnswers()) describe(name, body);
  else leaveOut('docker', name, body);
}

function leaveOut(need: NeedName, name: string, body: () => void): void {
  const { mark, remedy } = needs[need];
  const title = `${name} ${mark}`;
  if (isRequired(needs[need])) {
    test(title, () => {
      throw new Error(`run '${title}': SALLYPORT_REQUIRE_CLUSTER does not let it be skipped, ${remedy}`);
    });
  } else {
    // Said aloud by tools/test-all.ts.
    describe.skip(title, body);
  }
}
