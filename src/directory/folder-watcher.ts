import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';

/** Something happened in the folder at `folderPath` (below the root); `name` where the system says which entry. */
export type FolderEvent = (folderPath: string, name: string | undefined) => void;

/**
 * One watch a folder: it is what every platform has, and a link that is swapped is seen in the folder that holds it.
 * A folder that cannot be watched (too many watches) is left to the caller's rescans.
 */
export class FolderWatcher {
  readonly #root: string;
  readonly #onEvent: FolderEvent;
  readonly #watches = new Map<string, FSWatcher>();

  constructor(root: string, onEvent: FolderEvent) {
    this.#root = root;
    this.#onEvent = onEvent;
  }

  /** Starts to watch a folder anew: a folder of the same path may be another one than before. */
  add(folderPath: string): void {
    this.remove(folderPath);
    try {
      const watcher = watch(join(this.#root, folderPath));
      watcher.on('change', (_type, name) => {
        this.#onEvent(folderPath, typeof name === 'string' ? name : undefined);
      });
      watcher.on('error', () => {
        this.remove(folderPath);
        this.#onEvent(folderPath, undefined);
      });
      this.#watches.set(folderPath, watcher);
    } catch {
      // Left to rescans.
    }
  }

  remove(folderPath: string): void {
    this.#watches.get(folderPath)?.close();
    this.#watches.delete(folderPath);
  }

  has(folderPath: string): boolean {
    return this.#watches.has(folderPath);
  }

  /** Drops the watches of all folders but these. */
  keepOnly(folderPaths: ReadonlySet<string>): void {
    for (const path of this.#watches.keys()) if (!folderPaths.has(path)) this.remove(path);
  }

  close(): void {
    this.keepOnly(new Set());
  }
}
