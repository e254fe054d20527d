// Builds what cluster tests start: kube-apiserver, etcd and kubectl from the Go module test/envtest, Helm, h2spec. They go
// into a cached folder outside the checkout, named by versions; what is there is not built again. `KUBEBUILDER_ASSETS`
// may name a folder that has some of them already. `--if-possible` is for `make test`: no Go, or a build that fails, is
// said in one line and is no failure; the cluster tests then say that they did not run.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import {
  envtestFolder,
  findProgram,
  h2specVersion,
  helmVersion,
  moduleFolder,
  programs,
  requiredVersion,
} from '../test/support/cluster/assets.ts';
import type { Program } from '../test/support/cluster/assets.ts';
import { isAlive } from '../test/support/cluster/reserved-port.ts';

const progressEveryMs = 60_000;
const workPrefix = '.building-';
const timeLimitMs = 60 * 60_000;

interface Build {
  readonly programs: readonly Program[];
  readonly label: string;
  /** How long it took on two cores with empty Go caches. */
  readonly minutes: number;
  /** Arguments of `go`, and what it must find in its environment. */
  readonly command: (folder: string) => {
    readonly args: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
  };
}

function kubernetesFlags(): string {
  const version = requiredVersion('k8s.io/kubernetes');
  const [major, minor] = version.split('.');
  const at = 'k8s.io/component-base/version';
  const values = [`gitVersion=v${version}`, `gitMajor=${major}`, `gitMinor=${minor}`, 'gitTreeState=clean'];
  return ['-s -w', ...values.map((value) => `-X ${at}.${value}`)].join(' ');
}

const builds: readonly Build[] = [
  {
    programs: ['etcd'],
    label: `etcd ${requiredVersion('go.etcd.io/etcd/server/v3')}`,
    minutes: 1,
    command: (folder) => ({
      args: ['build', '-ldflags', '-s -w', '-o', join(folder, 'etcd'), 'go.etcd.io/etcd/server/v3'],
    }),
  },
  {
    programs: ['kube-apiserver', 'kubectl'],
    label: `Kubernetes ${requiredVersion('k8s.io/kubernetes')}`,
    minutes: 5,
    command: (folder) => {
      const packages = ['k8s.io/kubernetes/cmd/kube-apiserver', 'k8s.io/kubernetes/cmd/kubectl'];
      return { args: ['build', '-ldflags', kubernetesFlags(), '-o', `${folder}/`, ...packages] };
    },
  },
  {
    programs: ['helm'],
    label: `Helm ${helmVersion}`,
    minutes: 2,
    command: (folder) => {
      const module = `helm.sh/helm/v${helmVersion.split('.')[0]}`;
      const flags = `-s -w -X ${module}/internal/version.version=v${helmVersion}`;
      return {
        args: ['install', '-ldflags', flags, `${module}/cmd/helm@v${helmVersion}`],
        environment: { GOBIN: folder },
      };
    },
  },
  {
    programs: ['h2spec'],
    label: `h2spec ${h2specVersion}`,
    minutes: 1,
    command: (folder) => ({
      args: ['install', `github.com/summerwind/h2spec/cmd/h2spec@v${h2specVersion}+incompatible`],
      environment: { GOBIN: folder },
    }),
  },
];

function say(text: string): void {
  process.stdout.write(`envtest: ${text}\n`);
}

function duration(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.floor(ms / 60_000)} min`;
}

/** Runs `go` to its end, with a line a minute. Throws with the end of what it wrote when it fails. */
async function go(build: Build, folder: string): Promise<void> {
  const { args, environment } = build.command(folder);
  const began = performance.now();
  const child = spawn('go', args, {
    cwd: moduleFolder,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: timeLimitMs,
    // Version control has nothing to say about this module; a build for another platform is not for this machine.
    env: {
      ...process.env,
      ...environment,
      GOFLAGS: `${process.env['GOFLAGS'] ?? ''} -buildvcs=false`.trim(),
      GOWORK: 'off',
      GOOS: '',
      GOARCH: '',
    },
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  const ticker = setInterval(
    () => say(`still building ${build.label} after ${duration(performance.now() - began)}`),
    progressEveryMs,
  );
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(ticker));
  if (code !== 0) throw new Error(`build ${build.label}: go ended with ${code}\n${output.trimEnd()}`);
  say(`built ${build.label} in ${duration(performance.now() - began)}`);
}

/** Removes what builds that were interrupted left behind. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(workPrefix)) continue;
    const owner = Number.parseInt(name.slice(workPrefix.length), 10);
    if (!isAlive(owner)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Builds in a folder of its own and renames, so that what is there is always whole, also when two builds race. */
async function install(build: Build, folder: string): Promise<void> {
  say(`building ${build.label} (about ${build.minutes} min on two cores the first time)`);
  mkdirSync(folder, { recursive: true });
  sweep(folder);
  const work = mkdtempSync(join(folder, `${workPrefix}${process.pid}-`));
  try {
    await go(build, work);
    for (const program of build.programs) {
      chmodSync(join(work, program), 0o755);
      renameSync(join(work, program), join(folder, program));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function goVersion(): string | undefined {
  try {
    return execFileSync('go', ['env', 'GOVERSION'], { cwd: moduleFolder, encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

async function main(ifPossible: boolean): Promise<number> {
  const folder = envtestFolder();
  const missing = builds.filter(({ programs: made }) =>
    made.some((program) => findProgram(program) === undefined),
  );
  if (missing.length > 0 && goVersion() === undefined) {
    const names = programs.filter((program) => findProgram(program) === undefined).join(', ');
    say(`cannot build ${names}: no Go on this machine; install Go 1.26 or later, or set KUBEBUILDER_ASSETS`);
    return ifPossible ? 0 : 1;
  }
  for (const build of missing) {
    try {
      await install(build, folder);
    } catch (error) {
      say((error as Error).message);
      return ifPossible ? 0 : 1;
    }
  }
  if (!ifPossible || missing.length > 0) process.stdout.write(`${folder}\n`);
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.includes('--if-possible'));
