import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from '@jest/globals';

const bin = join(import.meta.dirname, '../bin');

test.each([
  ['sallyport', 'sallyport'],
  ['kubectl-sallyport', 'kubectl sallyport'],
])('bin/%s starts from a link elsewhere, and calls itself %s', async (file, name) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bin-'));
  try {
    const link = join(folder, file);
    await symlink(join(bin, file), link);
    const { stdout } = await promisify(execFile)(link, ['check', '--help'], { cwd: folder });
    expect(stdout).toContain(`Usage: ${name} check [options]`);
    expect(stdout).toContain(`\n  ${name} check -A\n`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
