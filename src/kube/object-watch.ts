import type { ApiFailure } from './api-failure.ts';
import { Backoff } from './backoff.ts';
import { systemClock } from './kube-clock.ts';
import type { KubeClock } from './kube-clock.ts';
import { listPages, scopeRequest } from './list-pages.ts';
import { isRecord } from './project-object.ts';
import type { ResourceScope } from './resources.ts';
import type { Transport } from './transport.ts';
import { runWatch } from './watch-events.ts';

type Json = Readonly<Record<string, unknown>>;

export interface ObjectWatchOptions {
  readonly transport: Transport;
  /** With a name. */
  readonly scope: ResourceScope;
  /** The object as the API server has it; undefined when it is not there. */
  readonly seen: (object: Json | undefined) => void;
  /** It is not there; told once until it is. */
  readonly absent: () => void;
  /** It cannot be read; told once until it can. */
  readonly failing: (failure: ApiFailure) => void;
  readonly clock?: KubeClock;
}

/** An API server sends a bookmark a minute. */
const silenceMs = 75_000;
const goodRunMs = 5000;

/** One object by name, as it stands on the wire. For an object that no routing depends on: a reflector does more. */
export class ObjectWatch {
  readonly #options: ObjectWatchOptions;
  readonly #clock: KubeClock;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #absent = false;
  #failing = false;

  constructor(options: ObjectWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Nothing is told from now on. */
  stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.();
    return this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = new Backoff(() => this.#clock.random());
    /* oxlint-disable no-await-in-loop -- read, follow, and begin anew */
    while (!signal.aborted) {
      const startMs = this.#clock.now();
      const version = await this.#read();
      const failure = typeof version === 'string' ? await this.#follow(version) : version;
      if (signal.aborted) break;
      if (failure !== undefined && !failure.expired) {
        if (!this.#failing) this.#options.failing(failure);
        this.#failing = true;
      }
      // A watch that ran for a while may be opened again at once.
      if (failure === undefined && this.#clock.now() - startMs >= goodRunMs) backoff.reset();
      else await this.#sleep(backoff.next(failure?.retryAfterMs));
    }
    /* oxlint-enable no-await-in-loop */
  }

  /** Resolves with the version to follow it from. */
  async #read(): Promise<string | ApiFailure> {
    const { transport, scope } = this.#options;
    const { signal } = this.#stopping;
    let version = '';
    let found: unknown;
    for await (const page of listPages({ transport, scope, pageSize: 0, signal })) {
      if (!('items' in page)) return page;
      version = page.resourceVersion;
      found = page.items[0];
    }
    this.#failing = false;
    this.#see(isRecord(found) ? found : undefined);
    return version;
  }

  async #follow(version: string): Promise<ApiFailure | undefined> {
    const { transport, scope } = this.#options;
    const request = scopeRequest(scope);
    request.query
      .set('watch', '1')
      .set('allowWatchBookmarks', 'true')
      .set('resourceVersion', version)
      .set('timeoutSeconds', String(Math.round(240 + this.#clock.random() * 60)));
    const { failure } = await runWatch({
      transport,
      request,
      clock: this.#clock,
      signal: this.#stopping.signal,
      silenceMs: () => silenceMs,
      onOpen: () => undefined,
      onEvents: (events) => {
        for (const { type, object } of events) {
          if (type !== 'BOOKMARK') this.#see(type === 'DELETED' ? undefined : object);
        }
        return true;
      },
    });
    return failure;
  }

  #see(object: Json | undefined): void {
    if (this.#stopping.signal.aborted) return;
    if (object === undefined && !this.#absent) this.#options.absent();
    this.#absent = object === undefined;
    this.#options.seen(object);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
