import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The programs that cluster tests start, and h2spec, which examines HTTP/2. */
export const programs = ['etcd', 'kube-apiserver', 'kubectl', 'helm', 'h2spec'] as const;

export type Program = (typeof programs)[number];

/** The folder of the Go module that pins Kubernetes and etcd. */
export const moduleFolder = join(import.meta.dirname, '../../envtest');

/** Helm is no part of that module: it is installed by its own, whose requirements would change those of Kubernetes. */
export const helmVersion = '4.3.1';

/** The last one that its module path lets Go install; so it is no part of the folder's name. */
export const h2specVersion = '2.2.1';

type Environment = Readonly<Record<string, string | undefined>>;

/** The version without its `v` at which test/envtest/go.mod requires a module. */
export function requiredVersion(module: string): string {
  const text = readFileSync(join(moduleFolder, 'go.mod'), 'utf8');
  for (const line of text.split('\n')) {
    const [name, version] = line
      .replace(/^require\s/, '')
      .trim()
      .split(/\s+/);
    if (name === module && version?.startsWith('v')) return version.slice(1);
  }
  throw new Error(`read test/envtest/go.mod: no version of '${module}', want a require line`);
}

/** Where `make envtest` puts what it builds: outside the checkout, one folder for each set of versions and platform. */
export function envtestFolder(environment: Environment = process.env): string {
  const base = environment['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const versions = [
    `kubernetes-${requiredVersion('k8s.io/kubernetes')}`,
    `etcd-${requiredVersion('go.etcd.io/etcd/server/v3')}`,
    `helm-${helmVersion}`,
    `${process.platform}-${process.arch}`,
  ];
  return join(base, 'sallyport/envtest', versions.join('_'));
}

/** The path of a program: in `KUBEBUILDER_ASSETS` when that is set and has it, else where `make envtest` put it. */
export function findProgram(program: Program, environment: Environment = process.env): string | undefined {
  const assets = environment['KUBEBUILDER_ASSETS'];
  const folders = [...(assets ? [assets] : []), envtestFolder(environment)];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
