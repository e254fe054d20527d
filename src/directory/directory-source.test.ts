import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { DirectorySource } from './directory-source.ts';
import type { DirectoryUpdate } from './manifest-set.ts';
import { readDirectoryOnce } from './read-directory-once.ts';

/** Hands out updates in order; `until` waits for the first one, new or kept, that fits. */
class Updates {
  readonly all: DirectoryUpdate[] = [];
  #waiting: (() => void) | undefined;

  readonly push = (update: DirectoryUpdate): void => {
    this.all.push(update);
    this.#waiting?.();
  };

  async until(fits: (update: DirectoryUpdate) => boolean): Promise<DirectoryUpdate> {
    for (;;) {
      const last = this.all.at(-1);
      if (last !== undefined && fits(last)) return last;
      // oxlint-disable-next-line no-await-in-loop -- waits for the next update
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}

const service = (name: string, port = 80): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: ${port}}]}\n`;

const services = (update: DirectoryUpdate): readonly string[] =>
  [...update.snapshot.objects.Service.keys()].map((key) => key.slice('default/'.length)).sort();

const portOf = (update: DirectoryUpdate, name: string): number | undefined =>
  update.snapshot.objects.Service.get(`default/${name}`)?.ports[0]?.port;

let folder: string;
let updates: Updates;
let source: DirectorySource | undefined;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'manifests-')));
  updates = new Updates();
});

afterEach(async () => {
  await source?.stop();
  source = undefined;
  await rm(folder, { recursive: true, force: true });
});

const write = (path: string, text: string): Promise<void> => writeFile(join(folder, path), text);

/** Rescans are put off for ever, so that what a test sees came from the watches. */
async function start(options: { rescanMs?: number } = {}): Promise<DirectorySource> {
  source = new DirectorySource(folder, { onChange: updates.push, rescanMs: 3_600_000, ...options });
  await source.start();
  return source;
}

describe('DirectorySource', () => {
  test('hands out the whole folder before start resolves', async () => {
    await mkdir(join(folder, 'deep/er'), { recursive: true });
    await write('a.yaml', service('a'));
    await write('deep/b.yml', service('b'));
    await write(
      'deep/er/c.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'c' }, spec: {} }),
    );
    await write('.hidden.yaml', service('hidden'));
    await write('notes.txt', service('notes'));
    const started = await start();
    expect(updates.all.map(services)).toEqual([['a', 'b', 'c']]);
    expect(updates.all[0]?.changed).toHaveLength(3);
    expect(started.locate({ kind: 'Service', namespace: 'default', name: 'b' })).toEqual({
      file: 'deep/b.yml',
      document: 1,
      line: 1,
    });
  });

  test('sees a saved, an added, a replaced and a removed file', async () => {
    await write('a.yaml', service('a'));
    await start();
    await write('a.yaml', service('a', 81));
    const saved = await updates.until((update) => portOf(update, 'a') === 81);
    expect(saved.changed).toEqual([{ kind: 'Service', key: 'default/a' }]);
    await write('b.yaml', service('b'));
    await updates.until((update) => services(update).join() === 'a,b');
    await write('.b.tmp', service('b', 82));
    await rename(join(folder, '.b.tmp'), join(folder, 'b.yaml'));
    await updates.until((update) => portOf(update, 'b') === 82);
    await rm(join(folder, 'a.yaml'));
    const removed = await updates.until((update) => services(update).join() === 'b');
    expect(removed.changed).toEqual([{ kind: 'Service', key: 'default/a' }]);
  });

  test('sees files in folders that are made and removed later', async () => {
    await start();
    await mkdir(join(folder, 'team'));
    await write('team/a.yaml', service('a'));
    await updates.until((update) => services(update).join() === 'a');
    await write('team/a.yaml', service('a', 81));
    await updates.until((update) => portOf(update, 'a') === 81);
    await rm(join(folder, 'team'), { recursive: true });
    await updates.until((update) => services(update).length === 0);
  });

  test('a mounted ConfigMap is read once, and its swap is one update', async () => {
    await mkdir(join(folder, '..one'));
    await write('..one/a.yaml', service('a'));
    await write('..one/b.yaml', service('b'));
    await symlink('..one', join(folder, '..data'));
    await symlink('..data/a.yaml', join(folder, 'a.yaml'));
    await symlink('..data/b.yaml', join(folder, 'b.yaml'));
    await start();
    expect(updates.all[0]?.diagnostics).toEqual([]);
    expect(updates.all.map(services)).toEqual([['a', 'b']]);

    await mkdir(join(folder, '..two'));
    await write('..two/a.yaml', service('a', 81));
    await write('..two/b.yaml', service('b', 82));
    await symlink('..two', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    const swapped = await updates.until((update) => portOf(update, 'a') === 81);
    expect(portOf(swapped, 'b')).toBe(82);
    expect(updates.all).toHaveLength(2);
  });

  test('a link to a parent folder does not go round for ever', async () => {
    await write('a.yaml', service('a'));
    await symlink('.', join(folder, 'loop'));
    await start();
    expect(updates.all.map(services)).toEqual([['a']]);
  });

  test('a broken file keeps its last good objects until it is good again', async () => {
    await write('a.yaml', service('a'));
    await write('b.yaml', service('b'));
    await start();
    await write('a.yaml', 'apiVersion: [1\nkind: x\n');
    const broken = await updates.until((update) => update.diagnostics.length > 0);
    expect(services(broken)).toEqual(['a', 'b']);
    expect(broken.changed).toEqual([]);
    expect(broken.diagnostics[0]).toMatchObject({
      code: 'SP1001',
      object: { kind: 'File', name: 'a.yaml' },
      location: { file: 'a.yaml', document: 1, line: 2 },
    });
    await write('a.yaml', service('a', 81));
    const mended = await updates.until((update) => update.diagnostics.length === 0);
    expect(portOf(mended, 'a')).toBe(81);
  });

  test('a burst of saves is one update', async () => {
    const burstMs = 50;
    const flushes: (() => void)[] = [];
    let armed = (): void => {};
    const firstArmed = new Promise<void>((resolve) => {
      armed = resolve;
    });
    const timers = {
      now: () => 0,
      after: (delayMs: number, callback: () => void) => {
        if (delayMs > burstMs) return () => {};
        flushes.push(callback);
        armed();
        return () => void flushes.splice(flushes.indexOf(callback), 1);
      },
    };
    source = new DirectorySource(folder, { onChange: updates.push, burstMs, rescanMs: 3_600_000, timers });
    await source.start();
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    await Promise.all(names.map((name) => write(`${name}.yaml`, service(name))));
    await firstArmed;
    // Each event put the reading off anew: one timer is armed, and nothing was read.
    expect(flushes).toHaveLength(1);
    expect(updates.all).toHaveLength(1);
    flushes[0]?.();
    const update = await updates.until(({ changed }) => changed.length > 0);
    expect(update.changed).toHaveLength(20);
    expect(updates.all).toHaveLength(2);
  });

  test('a rescan finds what no watch told of', async () => {
    const outside = await realpath(await mkdtemp(join(tmpdir(), 'outside-')));
    await writeFile(join(outside, 'a.yaml'), service('a'));
    await symlink(join(outside, 'a.yaml'), join(folder, 'a.yaml'));
    await start({ rescanMs: 5 });
    await writeFile(join(outside, 'a.yaml'), service('a', 81));
    const update = await updates.until((found) => portOf(found, 'a') === 81);
    expect(update.changed).toHaveLength(1);
    await rm(outside, { recursive: true });
  });

  test('a folder that goes away keeps everything and says so', async () => {
    await write('a.yaml', service('a'));
    await start();
    await rename(folder, `${folder}-away`);
    await source?.stop();
    source = new DirectorySource(folder, { onChange: updates.push });
    await expect(source.start()).rejects.toThrow('there is no such folder');
    await rename(`${folder}-away`, folder);
    source = new DirectorySource(folder, { onChange: updates.push, rescanMs: 5 });
    await source.start();
    await rename(folder, `${folder}-away`);
    const lost = await updates.until((update) => update.diagnostics.length > 0);
    expect(services(lost)).toEqual(['a']);
    expect(lost.diagnostics[0]?.code).toBe('SP1001');
    await rename(`${folder}-away`, folder);
    const back = await updates.until((update) => update.diagnostics.length === 0);
    expect(services(back)).toEqual(['a']);
  });

  test('reports nothing after stop', async () => {
    const started = await start();
    await started.stop();
    const count = updates.all.length;
    await write('a.yaml', service('a'));
    expect(services((await readDirectoryOnce(folder)) as unknown as DirectoryUpdate)).toEqual(['a']);
    expect(updates.all).toHaveLength(count);
  });

  test('names a missing folder, and a file in its place', async () => {
    const missing = join(folder, 'missing');
    await expect(readDirectoryOnce(missing)).rejects.toThrow(
      `Cannot read the manifests folder ${JSON.stringify(missing)}: there is no such folder`,
    );
    await write('a.yaml', '');
    await expect(readDirectoryOnce(join(folder, 'a.yaml'))).rejects.toThrow('it is a file, want a folder');
  });
});
