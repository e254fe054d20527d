import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parseManifests } from './cluster/manifest.ts';
import type { Manifest } from './cluster/manifest.ts';

export const chartFolder = join(import.meta.dirname, '../../charts/sallyport');

/** Values that stand for ways of installing; each file is a case of several tests. */
export const cases: readonly string[] = globSync('ci/*-values.yaml', { cwd: chartFolder })
  .map((file) => basename(file, '-values.yaml'))
  .sort();

/** Values of a case, or none. */
export function caseFile(name: string): readonly string[] {
  return ['--values', join(chartFolder, `ci/${name}-values.yaml`)];
}

/** What `helm template` prints. Throws with what Helm says when it refuses. */
export function helmTemplate(helm: string, args: readonly string[] = []): string {
  return execFileSync(helm, ['template', 'sallyport', chartFolder, '--namespace', 'sallyport', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

export function render(helm: string, args: readonly string[] = []): readonly Manifest[] {
  return parseManifests(helmTemplate(helm, args));
}

/** The one object of a kind. Throws unless there is exactly one. */
export function only(objects: readonly Manifest[], kind: string): Manifest {
  const found = objects.filter((object) => object.kind === kind);
  const [object] = found;
  if (object === undefined || found.length > 1)
    throw new Error(`look for a ${kind}: ${found.length} rendered, want one`);
  return object;
}

/** The template of pods of a Deployment or DaemonSet, as far as it is read here. */
export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly terminationGracePeriodSeconds: number;
    readonly topologySpreadConstraints?: readonly {
      readonly labelSelector: { readonly matchLabels: unknown };
    }[];
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly args: readonly string[];
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    }[];
  };
}

export function podTemplate(workload: Manifest): PodTemplate {
  return (workload['spec'] as { readonly template: PodTemplate }).template;
}
