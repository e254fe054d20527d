import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** Programs that the Dockerfile uses in its steps, besides Node and npm. */
const programs = ['sh', 'env', 'find', 'install'];

/**
 * Makes the image `name` for a Dockerfile's NODE_IMAGE from what this machine has: the Node of node_modules, npm and a
 * handful of programs with their libraries. For machines that no registry answers; Linux only.
 */
export function makeLocalBaseImage(name: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-base-'));
  try {
    const node = join(root, 'node_modules/node/bin/node');
    place(folder, node, '/usr/local/bin/node');
    for (const program of programs) place(folder, which(program), `/usr/bin/${program}`);
    place(folder, which('sh'), '/bin/sh');
    const files = [node, ...programs.map(which)].flatMap(librariesOf);
    for (const file of new Set(files)) place(folder, file, file);
    placeNpm(folder);
    mkdirSync(join(folder, 'tmp'), { mode: 0o1777 });
    const environment = authorities(folder);
    const archive = execFileSync('tar', ['-C', folder, '-c', '.'], { maxBuffer: 1 << 30 });
    execFileSync('docker', ['import', ...environment, '-', name], { input: archive, stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function place(folder: string, from: string, to: string): void {
  mkdirSync(join(folder, dirname(to)), { recursive: true });
  copyFileSync(from, join(folder, to));
}

function placeNpm(folder: string): void {
  const npm = dirname(dirname(realpathSync(which('npm'))));
  cpSync(npm, join(folder, 'usr/lib/npm'), { recursive: true, dereference: true });
  const script = '#!/bin/sh\nexec node /usr/lib/npm/bin/npm-cli.js "$@"\n';
  writeFileSync(join(folder, 'usr/bin/npm'), script, { mode: 0o755 });
}

/** Authorities that this machine's npm needs, it needs in the image too. */
function authorities(folder: string): readonly string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (file === undefined || file === '') return [];
  place(folder, file, '/etc/authorities.crt');
  return ['--change', 'ENV NODE_EXTRA_CA_CERTS=/etc/authorities.crt'];
}

function which(program: string): string {
  return execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim();
}

/** What the loader would open for it, and the loader. */
function librariesOf(file: string): readonly string[] {
  const lines = execFileSync('ldd', [file], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(\/\S+)(?= \(0x)/.exec(line)?.[1] ?? []);
}
