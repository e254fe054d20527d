// Writes what is generated from the source: CRDs, the admission policies, the chart's copies of them and the reference pages.
// `--check` writes nothing and exits 1 when a file differs from what would be written. One line of `outputs` per file.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { contentOf } from './content-of.ts';
import { compiledAnnotations } from '../src/compile/annotation-docs.ts';
import { filterRegistry } from '../src/filters/registry.ts';
import { adminPage } from './reference/admin-page.ts';
import { admissionPolicies } from './manifests/admission-policy.ts';
import { annotationsPage } from './reference/annotations-page.ts';
import { backendPolicyPage } from './reference/backend-policy-page.ts';
import { withValuesTable } from './reference/chart-values.ts';
import { backendPolicyCrd, routeCrd } from './reference/crds.ts';
import { diagnosticsPage } from './reference/diagnostics-page.ts';
import { errorsPage } from './reference/errors-page.ts';
import { flagsPage } from './reference/flags-page.ts';
import { metricsPage } from './reference/metrics-page.ts';
import { routePage } from './reference/route-page.ts';

/** Path below the root → its content, before formatting. */
export const outputs: ReadonlyMap<string, () => string> = new Map([
  ['crds/routes.sallyport.dev.yaml', () => routeCrd(filterRegistry)],
  ['crds/backendpolicies.sallyport.dev.yaml', () => backendPolicyCrd()],
  ['manifests/admission-policy.yaml', () => admissionPolicies(filterRegistry)],
  // A chart holds only files below itself.
  ['charts/sallyport/files/crds/routes.sallyport.dev.yaml', () => routeCrd(filterRegistry)],
  ['charts/sallyport/files/crds/backendpolicies.sallyport.dev.yaml', () => backendPolicyCrd()],
  ['charts/sallyport/files/admission-policy.yaml', () => admissionPolicies(filterRegistry)],
  [
    'charts/sallyport/README.md',
    () => withValuesTable(read('charts/sallyport/README.md'), read('charts/sallyport/values.yaml')),
  ],
  [
    'docs/reference/annotations.md',
    () => annotationsPage([...filterRegistry.annotations, ...compiledAnnotations]),
  ],
  ['docs/reference/route.md', () => routePage(filterRegistry)],
  ['docs/reference/backend-policy.md', () => backendPolicyPage()],
  ['docs/reference/flags.md', () => flagsPage()],
  ['docs/reference/diagnostics.md', () => diagnosticsPage()],
  ['docs/reference/errors.md', () => errorsPage()],
  ['docs/reference/admin.md', () => adminPage()],
  ['docs/reference/metrics.md', () => metricsPage()],
]);

const root = join(import.meta.dirname, '..');

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** One output as it stands in the tree. */
export async function rendered(path: string): Promise<string> {
  const render = outputs.get(path);
  if (render === undefined) throw new Error(`${path} is not generated`);
  const file = join(root, path);
  return format(render(), { ...(await resolveConfig(file)), filepath: file });
}

async function main(check: boolean): Promise<void> {
  for (const path of outputs.keys()) {
    const file = join(root, path);
    const wanted = await rendered(path);
    if (contentOf(file) === wanted) continue;
    if (check) {
      process.exitCode = 1;
      process.stderr.write(`${path} is not up to date\n`);
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, wanted);
    process.stdout.write(`${path}\n`);
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
