import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, FileLocation, ObjectRef } from '../diagnostics/diagnostic.ts';

import { FolderWatcher } from './folder-watcher.ts';
import { fileRef } from './manifest-file.ts';
import { ManifestSet } from './manifest-set.ts';
import type { DirectoryUpdate, FileChange } from './manifest-set.ts';
import { scanOrExplain } from './read-directory-once.ts';
import { readFiles } from './read-files.ts';
import { isManifestName, stampOf } from './scan-folder.ts';

// A folder of manifests as a source of objects. Comes in: files below a folder, and news that they changed. Goes out:
// snapshots with what changed, and diagnostics with file and line. A file is read again only when its stamp on disk
// differs, and of a changed file only documents whose text differs are parsed again. What cannot be read keeps its last
// good objects in force. Imports model and diagnostics only; never a socket or the table.

/** Time as the source needs it. Milliseconds; the clock is monotonic. */
export interface Timers {
  now(): number;
  /** Calls back once; the answer cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface DirectorySourceOptions {
  /** Called with the first snapshot before `start` resolves, then after each change of objects or diagnostics. */
  readonly onChange: (update: DirectoryUpdate) => void;
  /** A burst of saves ends when nothing came for this long. */
  readonly quietMs?: number;
  /** … or when it has lasted this long. */
  readonly burstMs?: number;
  /** The whole folder is looked through this often, for what the watches do not see (network disks, link targets). */
  readonly rescanMs?: number;
  readonly timers?: Timers;
}

const systemTimers: Timers = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Watches a folder of manifests. One `start` and one `stop` in a life. */
export class DirectorySource {
  readonly #folder: string;
  readonly #options: Required<DirectorySourceOptions>;
  readonly #set = new ManifestSet();
  readonly #watcher: FolderWatcher;
  /** Path of each known file → its stamp when it was read. */
  readonly #stamps = new Map<string, string>();
  /** Paths that something happened to since the last pass. */
  readonly #touched = new Set<string>();
  #rescan = false;
  #folderFault: Diagnostic | undefined;
  #reported: string | undefined;
  #running: Promise<void> | undefined;
  #burstSince: number | undefined;
  #cancelFlush = (): void => {};
  #cancelRescan = (): void => {};
  #stopped = false;

  constructor(folder: string, options: DirectorySourceOptions) {
    this.#folder = folder;
    this.#options = { quietMs: 15, burstMs: 50, rescanMs: 5000, timers: systemTimers, ...options };
    this.#watcher = new FolderWatcher(folder, (path, name) => this.#onEvent(path, name));
  }

  /** Resolves once the first snapshot was handed out. Rejects with an Error when the folder cannot be listed. */
  async start(): Promise<void> {
    const first = this.#wholeFolder();
    // Events that come meanwhile wait for their turn.
    this.#running = first.then(
      () => undefined,
      () => undefined,
    );
    try {
      const changes = await first;
      this.#running = undefined;
      if (!this.#stopped) this.#report(changes);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#scheduleRescan();
    if (this.#hasNews()) this.#schedule();
  }

  /** Resolves when no watch, timer or reading is left; nothing is reported after. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelFlush();
    this.#cancelRescan();
    this.#watcher.close();
    await this.#running;
    this.#watcher.close();
  }

  /** Where a field of the object in force was declared; without a path, the object. */
  locate(ref: ObjectRef, path = ''): FileLocation | undefined {
    return this.#set.locate(ref, path);
  }

  #onEvent(folderPath: string, name: string | undefined): void {
    if (name === undefined || name.startsWith('..')) this.#rescan = true;
    else if (name.startsWith('.')) return;
    else this.#touched.add(folderPath === '' ? name : `${folderPath}/${name}`);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { quietMs, burstMs, timers } = this.#options;
    const now = timers.now();
    this.#burstSince ??= now;
    this.#cancelFlush();
    const delay = Math.max(0, Math.min(quietMs, this.#burstSince + burstMs - now));
    this.#cancelFlush = timers.after(delay, () => this.#flush());
  }

  #scheduleRescan(): void {
    if (this.#stopped) return;
    const { timers, rescanMs } = this.#options;
    this.#cancelRescan = timers.after(rescanMs, () => {
      this.#rescan = true;
      this.#flush();
      this.#scheduleRescan();
    });
  }

  #flush(): void {
    this.#burstSince = undefined;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  /** One pass after the other, so that updates come in order. */
  async #work(): Promise<void> {
    while (this.#hasNews() && !this.#stopped) {
      // oxlint-disable-next-line no-await-in-loop -- passes must not overlap
      const changes = await this.#pass();
      if (!this.#stopped) this.#report(changes);
    }
  }

  #hasNews(): boolean {
    return this.#rescan || this.#touched.size > 0;
  }

  async #pass(): Promise<readonly FileChange[]> {
    const touched = [...this.#touched];
    this.#touched.clear();
    if (!this.#rescan) {
      const changes = await this.#knownFiles(touched);
      if (changes !== undefined) return changes;
    }
    try {
      const changes = await this.#wholeFolder();
      this.#folderFault = undefined;
      return changes;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#folderFault = diagnose('SP1001', fileRef(this.#folder), '', message);
      return [];
    }
  }

  /** The quick way: only files that are known changed. undefined when the whole folder must be looked through. */
  async #knownFiles(touched: readonly string[]): Promise<readonly FileChange[] | undefined> {
    const changed = new Map<string, string>();
    for (const path of touched) {
      // oxlint-disable-next-line no-await-in-loop -- a handful of paths
      const found = await stampOf(`${this.#folder}/${path}`);
      if (found?.isFolder === true || this.#watcher.has(path)) return undefined;
      if (!isManifestName(path.slice(path.lastIndexOf('/') + 1))) continue;
      const known = this.#stamps.get(path);
      // A file that came or went may be one name of several for the same content.
      if (found === undefined || known === undefined) return undefined;
      if (found.stamp !== known) changed.set(path, found.stamp);
    }
    for (const [path, stamp] of changed) this.#stamps.set(path, stamp);
    return readFiles(this.#folder, [...changed.keys()], this.#set);
  }

  async #wholeFolder(): Promise<readonly FileChange[]> {
    this.#rescan = false;
    const folders = new Set<string>();
    const onFolder = (path: string): void => {
      folders.add(path);
      if (!this.#stopped) this.#watcher.add(path);
    };
    const { files } = await scanOrExplain(this.#folder, { onFolder });
    this.#watcher.keepOnly(folders);
    const found = new Map(files.map(({ path, stamp }) => [path, stamp]));
    const gone = [...this.#stamps.keys()].filter((path) => !found.has(path));
    const changed = files.filter(({ path, stamp }) => this.#stamps.get(path) !== stamp);
    for (const path of gone) this.#stamps.delete(path);
    for (const { path, stamp } of changed) this.#stamps.set(path, stamp);
    const paths = changed.map(({ path }) => path);
    const read = await readFiles(this.#folder, paths, this.#set);
    return [...gone.map((path) => ({ path, file: undefined })), ...read];
  }

  #report(changes: readonly FileChange[]): void {
    const update = this.#set.update(changes);
    const diagnostics =
      this.#folderFault === undefined ? update.diagnostics : [this.#folderFault, ...update.diagnostics];
    const fingerprint = JSON.stringify(diagnostics);
    if (update.changed.length === 0 && fingerprint === this.#reported) return;
    this.#reported = fingerprint;
    this.#options.onChange({ ...update, diagnostics });
  }
}
