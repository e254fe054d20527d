// The layer table: which folder of src may import which, and which packages and built-in modules it may use.
// Read by test/architecture.test.ts, by the linter (.oxlintrc.json holds the overrides generated from here) and by
// docs/architecture.md (its picture is generated from here). `node tools/layers.ts` rewrites both, `--check` compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

/** Groups from the bottom up. A folder imports from lower groups only; `main` is src/main.ts. */
export const layers: readonly (readonly string[])[] = [
  ['util'],
  ['table', 'diagnostics', 'model', 'telemetry'],
  ['http1', 'http2', 'filters', 'balance'],
  ['compile', 'upstream', 'kube', 'directory'],
  ['proxy'],
  ['workers'],
  ['control'],
  ['admin', 'app'],
  ['cli'],
  ['main'],
];

/** Imports inside one group that the table allows besides. */
export const sideways: Readonly<Record<string, readonly string[]>> = {
  model: ['diagnostics'],
  app: ['admin'],
};

/** What a folder must not import although it lies lower. */
export const forbidden: Readonly<Record<string, readonly string[]>> = {
  filters: ['model', 'telemetry'],
  balance: ['model', 'diagnostics'],
  http1: ['model', 'diagnostics'],
  http2: ['model', 'diagnostics'],
  compile: ['http1', 'http2'],
  upstream: ['model', 'diagnostics', 'filters'],
  kube: ['http1', 'http2', 'filters', 'balance', 'table'],
  directory: ['http1', 'http2', 'filters', 'balance', 'telemetry'],
  proxy: ['model', 'compile', 'kube', 'directory'],
};

/** npm packages and the folders that may import them. A package that is not here may be imported nowhere in src. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['kube'],
  commander: ['cli', 'app'],
  'js-yaml': ['directory', 'cli'],
  pino: ['telemetry', 'app'],
  'prom-client': ['telemetry', 'admin'],
  re2js: ['util'],
  undici: ['kube'],
};

/** Folders without input or output: values in, values out. */
export const pure: readonly string[] = [
  'util',
  'table',
  'diagnostics',
  'model',
  'http1',
  'http2',
  'filters',
  'balance',
  'compile',
];

/** Built-in modules that no pure folder imports. */
export const impureModules: readonly string[] = [
  'node:child_process',
  'node:cluster',
  'node:dgram',
  'node:dns',
  'node:fs',
  'node:fs/promises',
  'node:http',
  'node:http2',
  'node:https',
  'node:tls',
  'node:worker_threads',
];

/** Every folder of the table. */
export const folders: readonly string[] = layers.flat();

/** The folders that `folder` may import, itself included. */
export function allowedFolders(folder: string): readonly string[] {
  const group = layers.findIndex((names) => names.includes(folder));
  const denied = forbidden[folder] ?? [];
  const lower = layers.slice(0, Math.max(group, 0)).flat();
  return [folder, ...lower.filter((name) => !denied.includes(name)), ...(sideways[folder] ?? [])];
}

/** The packages that `folder` may import. */
export function allowedPackages(folder: string): readonly string[] {
  return Object.keys(packages).filter((name) => packages[name]?.includes(folder));
}

/** One import statement: what it names and the folder of src that it leads to, where it does. */
export interface Import {
  readonly from: string;
  readonly specifier: string;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

/** Every module that a source text imports, exports from or imports dynamically. `from` is its path below the root. */
export function importsOf(from: string, source: string): readonly Import[] {
  return [...source.matchAll(importPattern)].map((match) => ({
    from,
    specifier: match[1] ?? match[2] ?? '',
  }));
}

/** The folder of src that a path below the root lies in; `main` for src/main.ts, undefined outside src. */
export function folderOf(path: string): string | undefined {
  const [root, folder, rest] = path.split('/');
  if (root !== 'src' || folder === undefined) return undefined;
  return rest === undefined ? folder.replace(/\.ts$/, '') : folder;
}

/** Why an import breaks the table, or undefined when it obeys. */
export function violation({ from, specifier }: Import): string | undefined {
  const folder = folderOf(from);
  if (folder === undefined) return undefined;
  if (!folders.includes(folder)) return `${from}: src/${folder} is not in the layer table`;
  if (specifier.startsWith('.')) return relativeViolation(from, folder, specifier);
  if (specifier.startsWith('node:')) {
    if (!pure.includes(folder) || !impureModules.includes(specifier)) return undefined;
    return `${from}: ${folder} is pure and may not import ${specifier}`;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (allowedPackages(folder).includes(name) || isTestOnly(from, name)) return undefined;
  return `${from}: ${folder} may not import the package ${name}`;
}

function relativeViolation(from: string, folder: string, specifier: string): string | undefined {
  if (!/\.(ts|json)$/.test(specifier)) return `${from}: ${specifier} lacks its file ending`;
  const target = join(from, '..', specifier).replaceAll('\\', '/');
  const to = folderOf(target);
  if (to === undefined) {
    const allowed = from.endsWith('.test.ts') || (target === 'package.json' && folder === 'cli');
    return allowed ? undefined : `${from}: ${specifier} leads out of src`;
  }
  // A test may look downwards at everything: it composes what it tests.
  const allowed = from.endsWith('.test.ts') ? testFolders(folder) : allowedFolders(folder);
  return allowed.includes(to) ? undefined : `${from}: ${folder} may not import ${to} (${specifier})`;
}

/** Tests stand in their folder's layer, without its `forbidden` list and with its whole group. */
function testFolders(folder: string): readonly string[] {
  const group = layers.findIndex((names) => names.includes(folder));
  return layers.slice(0, group + 1).flat();
}

function isTestOnly(from: string, name: string): boolean {
  return (
    from.endsWith('.test.ts') && ['@jest/globals', 'fast-check', 'js-yaml', 'prom-client'].includes(name)
  );
}

/** The linter's import rules, one override a folder. */
export function lintOverrides(): readonly unknown[] {
  return folders
    .filter((folder) => folder !== 'main')
    .map((folder) => {
      const allowed = allowedFolders(folder);
      const denied = folders.filter((name) => !allowed.includes(name) && name !== 'main');
      const deniedPackages = Object.keys(packages).filter((name) => !allowedPackages(folder).includes(name));
      const modules = pure.includes(folder) ? impureModules : [];
      return {
        files: [`src/${folder}/**/*.ts`],
        excludeFiles: ['**/*.test.ts'],
        rules: {
          'no-restricted-imports': [
            'error',
            {
              paths: [...deniedPackages, ...modules].map((name) => ({
                name,
                message: `${folder} may not import it: see tools/layers.ts`,
              })),
              patterns: [
                {
                  regex: `^(\\.\\./)+(${[...denied, 'main\\.ts'].join('|')})(/|$)`,
                  message: `${folder} may not import upwards: see tools/layers.ts`,
                },
              ],
            },
          ],
        },
      };
    });
}

/** The layer picture of docs/architecture.md, without its fence. */
export function picture(): string {
  const rows = [...layers].reverse().map((names) => `  ${names.join('  ')}`);
  const extra = Object.entries(sideways).map(
    ([folder, names]) => `  ${folder} also imports ${names.join(', ')}`,
  );
  const denied = Object.entries(forbidden).map(
    ([folder, names]) => `  ${folder} never imports ${names.join(', ')}`,
  );
  return [...rows, '', ...extra, ...denied].join('\n');
}

/** The picture's place in docs/architecture.md. */
const pictureFence = /(<!-- layers -->\n+```[a-z]*\n)[\s\S]*?(\n```)/;

/** docs/architecture.md with its picture renewed. */
export function withPicture(document: string): string {
  if (!pictureFence.test(document)) throw new Error('docs/architecture.md has no <!-- layers --> block');
  return document.replace(pictureFence, (_, open: string, close: string) => `${open}${picture()}${close}`);
}

/** .oxlintrc.json with the overrides of the layer table renewed; other overrides come after them. */
export function withOverrides(text: string): string {
  const config = JSON.parse(text) as { overrides: { rules: Record<string, unknown> }[] };
  const kept = config.overrides.filter((override) => !('no-restricted-imports' in override.rules));
  return JSON.stringify({ ...config, overrides: [...lintOverrides(), ...kept] });
}

/** What the table generates: path below the root → text. */
export async function generated(root: string): Promise<ReadonlyMap<string, string>> {
  const options = await resolveConfig(join(root, '.oxlintrc.json'));
  const config = withOverrides(readFileSync(join(root, '.oxlintrc.json'), 'utf8'));
  return new Map([
    ['.oxlintrc.json', await format(config, { ...options, parser: 'json' })],
    ['docs/architecture.md', withPicture(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))],
  ]);
}

async function main(check: boolean): Promise<void> {
  const root = join(import.meta.dirname, '..');
  for (const [path, text] of await generated(root)) {
    if (readFileSync(join(root, path), 'utf8') === text) continue;
    if (check) {
      process.exitCode = 1;
      process.stderr.write(`${path} disagrees with tools/layers.ts: run make generate\n`);
    } else {
      writeFileSync(join(root, path), text);
    }
  }
}

if (import.meta.main) await main(process.argv.includes('--check'));
