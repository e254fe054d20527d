import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
/** Static imports of values; types are stripped before they are loaded. */
const staticImport = /^(?:import|export)\s(?!type\b)(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]/gm;

/** Every module, and every package, that is loaded as soon as `entry` is. */
function loadedWith(entry: string): ReadonlySet<string> {
  const loaded = new Set<string>();
  const open = [join(root, entry)];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const path = relative(root, file);
    if (loaded.has(path) || !existsSync(file)) continue;
    loaded.add(path);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(staticImport)) {
      if (specifier.startsWith('.')) open.push(join(file, '..', specifier));
      else loaded.add(specifier);
    }
  }
  return loaded;
}

test('no command but those that need them loads the cluster client and the proxy', () => {
  const loaded = [...loadedWith('src/main.ts')];
  expect(loaded).toContain('src/cli/command-source.ts');
  expect(loaded.filter((path) => /^src\/(kube|workers|upstream)\/|^@kubernetes|^undici/.test(path))).toEqual(
    [],
  );
});
