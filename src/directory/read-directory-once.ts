import type { Diagnostic, FileLocation, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { Snapshot } from '../model/snapshot.ts';

import { ManifestSet } from './manifest-set.ts';
import { readFiles } from './read-files.ts';
import { scanFolder } from './scan-folder.ts';

export interface DirectoryContents {
  readonly snapshot: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
  /** Where a field of an object of the snapshot was declared; without a path, the object. */
  readonly locate: (ref: ObjectRef, path?: string) => FileLocation | undefined;
}

/** Reads a folder of manifests without watching it. Rejects with an Error when there is no such folder. */
export async function readDirectoryOnce(folder: string): Promise<DirectoryContents> {
  const set = new ManifestSet();
  const { files } = await scanOrExplain(folder);
  const paths = files.map(({ path }) => path);
  const { snapshot, diagnostics } = set.update(await readFiles(folder, paths, set));
  return { snapshot, diagnostics, locate: (ref, path) => set.locate(ref, path) };
}

/** As `scanFolder`, with a rejection that a person can act on. */
export async function scanOrExplain(...args: Parameters<typeof scanFolder>): ReturnType<typeof scanFolder> {
  try {
    return await scanFolder(...args);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reasons = new Map([
      ['ENOENT', 'there is no such folder'],
      ['ENOTDIR', 'it is a file, want a folder'],
      ['EACCES', 'this user may not list it'],
    ]);
    const reason = reasons.get(code ?? '') ?? message;
    throw new Error(`Cannot read the manifests folder ${JSON.stringify(args[0])}: ${reason}`, { cause });
  }
}
