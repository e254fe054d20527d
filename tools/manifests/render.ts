// Writes manifests/ from the chart, so that what is applied with kubectl is what Helm installs. `--check` writes nothing and
// exits 1 when a file differs. Without Helm it says so in one line and leaves the files as they are.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { dump, loadAll, YAML11_SCHEMA } from 'js-yaml';
import { format, resolveConfig } from 'prettier';

import { contentOf } from '../content-of.ts';
import { findProgram } from '../../test/support/cluster/assets.ts';
import { manifests } from './manifest-list.ts';
import type { Manifest } from './manifest-list.ts';

/** Where the pods, their ServiceAccount and their Lease are. */
export const namespace = 'sallyport';

const root = join(import.meta.dirname, '../..');
const chart = join(root, 'charts/sallyport');

/** As much of an object as is read here. */
interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** One manifest as it stands in the tree. Throws when Helm refuses the chart or the values. */
export async function renderManifest(manifest: Manifest, helm: string): Promise<string> {
  const text = execFileSync(
    helm,
    ['template', 'sallyport', chart, '--namespace', namespace, '--values', '-'],
    {
      input: JSON.stringify(manifest.values),
      encoding: 'utf8',
    },
  );
  const objects = (loadAll(text, { schema: YAML11_SCHEMA }) as (KubernetesObject | null)[])
    .filter((object) => object !== null)
    .filter(({ kind }) => manifest.kinds === undefined || manifest.kinds.includes(kind))
    .map(withoutHelm);
  const all = manifest.withNamespace === false ? objects : [namespaceObject(), ...objects];
  const documents = all.map((object) => dump(object, { schema: YAML11_SCHEMA, lineWidth: -1, noRefs: true }));
  const heading = ['Written by tools/manifests/render.ts: do not edit.', ...manifest.about];
  const file = join(root, manifest.path);
  return format(`${heading.map((line) => `# ${line}\n`).join('')}${documents.join('---\n')}`, {
    ...(await resolveConfig(file)),
    filepath: file,
  });
}

/** The restricted Pod Security Standard holds for the namespace: nothing that the chart makes by default needs more. */
function namespaceObject(): KubernetesObject {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } } as KubernetesObject;
}

/** What Helm alone reads, or what would say that Helm manages the object. */
function withoutHelm(object: KubernetesObject): KubernetesObject {
  const { labels, annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, ...part('labels', labels), ...part('annotations', annotations) },
  };
}

function part(field: 'labels' | 'annotations', entries: Readonly<Record<string, string>> = {}) {
  const kept = Object.entries(entries).filter(
    ([key]) => !key.startsWith('helm.sh/') && key !== 'app.kubernetes.io/managed-by',
  );
  return kept.length === 0 ? {} : { [field]: Object.fromEntries(kept) };
}

async function main(check: boolean): Promise<void> {
  const helm = findProgram('helm');
  if (helm === undefined) {
    process.stderr.write('manifests/ not compared with the chart: no Helm here, make envtest installs one\n');
    return;
  }
  mkdirSync(join(root, 'manifests'), { recursive: true });
  for (const manifest of manifests) {
    const file = join(root, manifest.path);
    const wanted = await renderManifest(manifest, helm);
    if (contentOf(file) === wanted) continue;
    if (check) {
      process.exitCode = 1;
      process.stderr.write(`${manifest.path} is not up to date\n`);
      continue;
    }
    writeFileSync(file, wanted);
    process.stdout.write(`${manifest.path}\n`);
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
