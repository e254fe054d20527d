import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A manifest file as it lies on disk. The stamp changes whenever the content may have. */
export interface FoundFile {
  /** Below the folder, with `/`. */
  readonly path: string;
  readonly stamp: string;
}

export interface Scan {
  /** By path, in order of path. */
  readonly files: readonly FoundFile[];
}

interface ScanOptions {
  /** Called with every folder before it is listed, so that a watch set up here misses nothing. */
  readonly onFolder?: (path: string) => void;
}

const manifestPattern = /\.(?:ya?ml|json)$/i;

/** Whether a file of this name is read. Names with a leading dot belong to editors and to Kubernetes' volume swaps. */
export function isManifestName(name: string): boolean {
  return !name.startsWith('.') && manifestPattern.test(name);
}

/**
 * Lists the manifests below a folder. Links are followed; a file or folder that is reached twice counts once, under
 * the path that is reached first (the files of a folder before its subfolders, by name). A mounted ConfigMap (`a.yaml → ..data/a.yaml`, `..data → ..2026_01_31…`) therefore yields
 * each of its files once. Rejects only when the folder itself cannot be listed.
 */
export async function scanFolder(folder: string, { onFolder }: ScanOptions = {}): Promise<Scan> {
  const seen = new Set<string>();
  const files: FoundFile[] = [];
  const open = [''];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    onFolder?.(path);
    // oxlint-disable-next-line no-await-in-loop -- one folder at a time keeps the order and the count of open files
    for (const name of await namesIn(folder, path)) {
      const child = path === '' ? name : `${path}/${name}`;
      // oxlint-disable-next-line no-await-in-loop -- as above
      const found = await stampOf(join(folder, child));
      if (found === undefined || seen.has(found.identity)) continue;
      if (found.isFolder) open.push(child);
      else if (!isManifestName(name)) continue;
      else files.push({ path: child, stamp: found.stamp });
      seen.add(found.identity);
    }
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

async function namesIn(folder: string, path: string): Promise<readonly string[]> {
  try {
    return (await readdir(join(folder, path))).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    if (path === '') throw error;
    // Gone or closed since its parent was listed.
    return [];
  }
}

interface Stamped {
  readonly isFolder: boolean;
  readonly identity: string;
  readonly stamp: string;
}

/** undefined for what is neither file nor folder, or is gone. */
export async function stampOf(path: string): Promise<Stamped | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  const isFolder = found?.isDirectory() === true;
  if (found === undefined || (!isFolder && !found.isFile())) return undefined;
  const identity = `${found.dev}:${found.ino}`;
  return { isFolder, identity, stamp: `${identity}:${found.size}:${found.mtimeNs}:${found.ctimeNs}` };
}
