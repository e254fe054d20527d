import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { readManifest, unreadableManifest } from './manifest-file.ts';
import type { FileChange, ManifestSet } from './manifest-set.ts';

const maxFileBytes = 64 * 1024 * 1024;
/** Files read at once. */
const batchSize = 32;

/** Reads and decodes files that are new or changed, against what `set` holds of them. A file that is gone says so. */
export async function readFiles(
  folder: string,
  paths: readonly string[],
  set: ManifestSet,
): Promise<readonly FileChange[]> {
  const changes: FileChange[] = [];
  for (let start = 0; start < paths.length; start += batchSize) {
    const batch = paths.slice(start, start + batchSize);
    // oxlint-disable-next-line no-await-in-loop -- bounds the open files and the text held at once
    changes.push(...(await Promise.all(batch.map((path) => readOne(folder, path, set)))));
  }
  return changes;
}

async function readOne(folder: string, path: string, set: ManifestSet): Promise<FileChange> {
  const before = set.file(path);
  try {
    const text = await readText(join(folder, path));
    return { path, file: readManifest(path, text, before) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { path, file: undefined };
    return { path, file: unreadableManifest(path, code ?? message, before) };
  }
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > maxFileBytes) throw new Error(`${size} bytes, want at most ${maxFileBytes}`);
  const bytes = await readFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error('not UTF-8', { cause });
  }
}
