import { randomBytes } from 'node:crypto';

import { readTicketSecrets } from '../compile/ticket-secret.ts';
import type { Secret } from '../model/core-objects.ts';
import type { Snapshot } from '../model/snapshot.ts';

const SECRET_BYTES = 32;
/** The newest secret and those before it that still open tickets. */
const GENERATIONS = 3;
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface TicketSecretsOptions {
  /** What workers start with. */
  readonly first: readonly Uint8Array[];
  /** How often secrets of our own are replaced; 0 means never. */
  readonly rotationMs: number;
  /** `namespace/name` of the Secret that replicas share; '' for none. */
  readonly secret: string;
  /** Told of every change, the newest first. */
  use(secrets: readonly Uint8Array[]): void;
}

/**
 * What keys of session tickets are made from: the values of a Secret, so that replicas resume each other's sessions, else
 * random bytes of this process. While the Secret is missing or of no use, the process goes by its own, which it keeps
 * replacing meanwhile.
 */
export class TicketSecrets {
  readonly #options: TicketSecretsOptions;
  #own: readonly Uint8Array[];
  #shared: readonly Uint8Array[] = [];
  #seen: Secret | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TicketSecretsOptions) {
    this.#options = options;
    this.#own = options.first;
  }

  start(): void {
    const { rotationMs } = this.#options;
    if (rotationMs === 0) return;
    this.#timer = setInterval(() => this.rotate(), Math.min(rotationMs, MAX_TIMER_MS));
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A newer state of the cluster, or of the folder. */
  seen(snapshot: Snapshot): void {
    const { secret: key } = this.#options;
    if (key === '') return;
    const secret = snapshot.objects.Secret.get(key);
    if (secret === this.#seen) return;
    this.#seen = secret;
    const shared = secret === undefined ? [] : readTicketSecrets(secret).secrets;
    if (shared.length === 0 && this.#shared.length === 0) return;
    this.#shared = shared;
    this.#options.use(shared.length > 0 ? shared : this.#own);
  }

  /** Replaces the newest secret of our own. */
  rotate(): void {
    this.#own = [randomBytes(SECRET_BYTES), ...this.#own].slice(0, GENERATIONS);
    if (this.#shared.length === 0) this.#options.use(this.#own);
  }
}
