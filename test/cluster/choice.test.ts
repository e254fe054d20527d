import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { envtestFolder, findProgram, requiredVersion } from '../support/cluster/assets.ts';
import { chooseCluster } from '../support/cluster/cluster-choice.ts';
import { parseManifests } from '../support/cluster/manifest.ts';
import { isRequired, needs } from '../support/cluster/needs.ts';
import { reservePort } from '../support/cluster/reserved-port.ts';

describe('where the API server of a test comes from', () => {
  let folder = '';
  let nothing: Readonly<Record<string, string>> = {};

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-choice-'));
    nothing = { XDG_CACHE_HOME: join(folder, 'cache'), PATH: folder };
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function put(into: string, ...programs: readonly string[]): void {
    mkdirSync(into, { recursive: true });
    for (const program of programs) writeFileSync(join(into, program), '', { mode: 0o755 });
  }

  test('a kubeconfig, then programs, then Docker, then nowhere', () => {
    expect(chooseCluster(nothing)).toBeUndefined();
    put(envtestFolder(nothing), 'etcd');
    expect(chooseCluster(nothing)).toBeUndefined();
    put(envtestFolder(nothing), 'kube-apiserver');
    expect(chooseCluster(nothing)).toBe('envtest');
    expect(chooseCluster({ ...nothing, SALLYPORT_TEST_KUBECONFIG: 'x' })).toBe('kubeconfig');
  });

  test('KUBEBUILDER_ASSETS goes before what was built, and need not have everything', () => {
    const assets = join(folder, 'assets');
    const environment = { ...nothing, KUBEBUILDER_ASSETS: assets };
    put(assets, 'etcd', 'kube-apiserver');
    put(envtestFolder(nothing), 'etcd', 'helm');
    expect(chooseCluster(environment)).toBe('envtest');
    expect(findProgram('etcd', environment)).toBe(join(assets, 'etcd'));
    expect(findProgram('helm', environment)).toBe(join(envtestFolder(nothing), 'helm'));
    expect(findProgram('kubectl', environment)).toBeUndefined();
  });

  test('a file that cannot be run is no program', () => {
    put(envtestFolder(nothing), 'etcd');
    writeFileSync(join(envtestFolder(nothing), 'kube-apiserver'), '', { mode: 0o644 });
    expect(chooseCluster(nothing)).toBeUndefined();
  });

  test('versions come from the Go module and name the folder', () => {
    expect(requiredVersion('k8s.io/kubernetes')).toMatch(/^1\.\d+\.\d+$/);
    expect(() => requiredVersion('example.com/none')).toThrow(
      "no version of 'example.com/none', want a require line",
    );
    expect(basename(envtestFolder())).toContain(`kubernetes-${requiredVersion('k8s.io/kubernetes')}_`);
  });

  test('only what a machine can be asked to have is ever required', () => {
    const required = { SALLYPORT_REQUIRE_CLUSTER: '1' };
    const spared = Object.entries(needs).filter(([, need]) => !isRequired(need, required));
    expect(spared.map(([name]) => name)).toEqual(['docker', 'curl', 'h2load', 'go', 'wstest']);
    for (const value of ['', '0', 'false']) {
      expect(isRequired(needs.cluster, { SALLYPORT_REQUIRE_CLUSTER: value })).toBe(false);
    }
    expect(isRequired(needs.cluster, {})).toBe(false);
  });
});

describe('a reserved port', () => {
  test('is nobody else’s until it is released', async () => {
    const draws = [0.5, 0.5, 0.25, 0.5];
    const random = (): number => draws.shift() ?? Math.random();
    const first = await reservePort(random);
    const second = await reservePort(random);
    expect(second.port).not.toBe(first.port);
    await first.release();
    await second.release();
  });
});

describe('manifests for a cluster', () => {
  test('documents and lists become objects, in their order', () => {
    const objects = parseManifests(`
# a comment alone
---
{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: a}}]}
---
{apiVersion: v1, kind: Service, metadata: {name: b, namespace: shop}}
`);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Secret a',
      'Service b',
    ]);
  });

  test.each([
    ['a: [', /^parse manifests: line 1: /],
    ['\n---\napiVersion: v1\nkind: Service\n', /^parse manifests: document at line 3: want apiVersion, kind/],
  ])('%j is refused with its line', (text, message) => {
    expect(() => parseManifests(text)).toThrow(message);
  });
});
