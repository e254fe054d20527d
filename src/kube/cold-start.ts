import type { KubeClock } from './kube-clock.ts';
import type { SavedSnapshot, SnapshotFile } from './snapshot-file.ts';

export interface ColdStartOptions {
  readonly file: Pick<SnapshotFile, 'load'>;
  readonly clock: KubeClock;
  readonly waitMs: number;
  /** False while the API server refuses access: an installation that is wrong must not pass for a good one. */
  readonly mayUse: () => boolean;
  readonly found: (saved: SavedSnapshot) => void;
}

/** Takes the saved snapshot when a start hears nothing from the API server for a while. */
export class ColdStart {
  readonly #options: ColdStartOptions;
  #heardAtMs = 0;
  #cancel: (() => void) | undefined;
  #loading: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ColdStartOptions) {
    this.#options = options;
  }

  start(): void {
    this.heard();
    this.#check(this.#options.waitMs);
  }

  /** The API server said something, so there is something to wait for. */
  heard(): void {
    this.#heardAtMs = this.#options.clock.now();
  }

  /** The cluster was read, or nobody wants to know any more. Resolves when the file is left alone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#loading;
  }

  #check(afterMs: number): void {
    const { clock, waitMs, mayUse } = this.#options;
    this.#cancel = clock.after(afterMs, () => {
      const silentMs = clock.now() - this.#heardAtMs;
      if (silentMs < waitMs) this.#check(waitMs - silentMs);
      else if (mayUse()) this.#loading = this.#load();
      else this.#check(waitMs);
    });
  }

  async #load(): Promise<void> {
    const { file, mayUse, found } = this.#options;
    const saved = await file.load();
    if (saved === undefined || this.#stopped) return;
    if (mayUse()) found(saved);
    else this.#check(this.#options.waitMs);
  }
}
