import { open, readFile, rename, rm } from 'node:fs/promises';

import type { Snapshot } from '../model/snapshot.ts';
import type { Log } from '../telemetry/log.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.ts';

export interface SnapshotFileOptions {
  readonly path: string;
  /** Of Sallyport. A file that another one wrote is not read. */
  readonly version: string;
  readonly log: Log;
  readonly clock?: KubeClock;
  /** Milliseconds since the epoch. */
  readonly wallClock?: () => number;
  /** Least time between two writes. Default 1 min. */
  readonly intervalMs?: number;
  /** How long the first write waits for what comes right after. Default 2 s. */
  readonly quietMs?: number;
  /** An older file is not read. Default 24 h. */
  readonly maxAgeMs?: number;
}

export interface SavedSnapshot {
  readonly snapshot: Snapshot;
  /** Since it was written, by the wall clock; never negative. */
  readonly ageMs: number;
}

/**
 * The newest good snapshot on disk. It holds Secrets with their keys: only its owner may read it, and it belongs on a
 * volume that is treated as a Secret is.
 */
export class SnapshotFile {
  readonly #options: Required<SnapshotFileOptions>;
  /** Not written yet. */
  #offered: Snapshot | undefined;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #nextMs = -Infinity;
  #complaint = '';
  #stopped = false;

  constructor(options: SnapshotFileOptions) {
    this.#options = {
      clock: systemClock,
      wallClock: Date.now,
      intervalMs: 60_000,
      quietMs: 2000,
      maxAgeMs: 86_400_000,
      ...options,
    };
  }

  /** The saved snapshot, or undefined with a line in the log that says why not. Never rejects. */
  async load(): Promise<SavedSnapshot | undefined> {
    const { path, version, log, wallClock, maxAgeMs } = this.#options;
    const ignore = (reason: string): undefined => {
      log.warn('snapshot file not used', { file: path, reason });
      return undefined;
    };
    let file: Buffer;
    try {
      file = await readFile(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return ignore(code === 'ENOENT' ? 'there is none' : message);
    }
    const decoded = await decodeSnapshot(file, version);
    if (decoded.kind === 'unusable') return ignore(decoded.reason);
    const ageMs = Math.max(0, wallClock() - decoded.head.savedAtMs);
    if (ageMs > maxAgeMs) return ignore(`it is ${hours(ageMs)} h old, want at most ${hours(maxAgeMs)} h`);
    return { snapshot: decoded.snapshot, ageMs };
  }

  /** Takes a newer snapshot to be written soon. */
  offer(snapshot: Snapshot): void {
    if (this.#stopped) return;
    this.#offered = snapshot;
    if (this.#cancel !== undefined || this.#writing !== undefined) return;
    const { clock, quietMs } = this.#options;
    this.#cancel = clock.after(Math.max(quietMs, this.#nextMs - clock.now()), () => {
      this.#cancel = undefined;
      void this.#write();
    });
  }

  /** Resolves when no write is under way. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Resolves when what was offered last is written, or cannot be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#writing;
    await this.#write();
  }

  async #write(): Promise<void> {
    const snapshot = this.#offered;
    if (snapshot === undefined) return;
    this.#offered = undefined;
    this.#nextMs = this.#options.clock.now() + this.#options.intervalMs;
    this.#writing = this.#save(snapshot).then(() => {
      this.#writing = undefined;
      if (this.#offered !== undefined) this.offer(this.#offered);
    });
    await this.#writing;
  }

  async #save(snapshot: Snapshot): Promise<void> {
    const { path, log } = this.#options;
    try {
      const bytes = await this.#replace(snapshot);
      this.#complaint = '';
      log.debug('snapshot file written', { file: path, bytes });
    } catch (error) {
      const { message } = error as Error;
      // Once a cause: it is tried again a minute later, and a disk that is full stays so for a while.
      if (message !== this.#complaint)
        log.warn('snapshot file cannot be written', { file: path, err: error });
      this.#complaint = message;
    }
  }

  /** Beside it and then over it, so that a crash at any moment leaves the old file or the new one. */
  async #replace(snapshot: Snapshot): Promise<number> {
    const { path, version, wallClock } = this.#options;
    const beside = `${path}.new`;
    await rm(beside, { force: true });
    const file = await open(beside, 'wx', 0o600);
    let size = 0;
    try {
      for (const piece of encodeSnapshot({ version, savedAtMs: wallClock() }, snapshot)) {
        // oxlint-disable-next-line no-await-in-loop -- one piece after the other, other work in between
        await file.appendFile(piece);
        size += piece.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    return size;
  }
}

function hours(ms: number): number {
  return Math.round(ms / 360_000) / 10;
}
