import type { Dispatcher } from 'undici';

/** Bytes that wait unread before the connection is asked to pause. */
const highWaterBytes = 1024 * 1024;

/** The head of an answer. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

type Waiter = (result: IteratorResult<Uint8Array>) => void;

/**
 * One answer as it comes in: undici's handler on one side, a head and a body that is read once on the other. Leaner than
 * undici's own body, of which ten thousand idle watches would each hold a whole stream.
 */
export class ResponseStream implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array> {
  /** Rejects with what went wrong before the head came. */
  readonly head: Promise<ResponseHead>;
  readonly #resolveHead: (head: ResponseHead) => void;
  readonly #rejectHead: (error: Error) => void;
  readonly #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #abortedWith: Error | undefined;
  #outcome: 'open' | 'ended' | Error = 'open';
  #waiter: { readonly resolve: Waiter; readonly reject: (error: Error) => void } | undefined;
  /** Resolves when the answer is over, however it ended. */
  readonly done: Promise<void>;
  readonly #resolveDone: () => void;
  readonly #signal: AbortSignal;

  /** `signal` ends the exchange with its reason, which is an Error. */
  constructor(signal: AbortSignal) {
    const head = Promise.withResolvers<ResponseHead>();
    this.head = head.promise;
    this.#resolveHead = head.resolve;
    this.#rejectHead = head.reject;
    const done = Promise.withResolvers<void>();
    this.done = done.promise;
    this.#resolveDone = done.resolve;
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedWith !== undefined) controller.abort(this.#abortedWith);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHead['headers'],
  ): void {
    this.#controller = controller;
    if (status >= 200) this.#resolveHead({ status, headers });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve({ value: chunk, done: false });
      return;
    }
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > highWaterBytes) controller.pause();
  }

  onResponseEnd(): void {
    this.#finish('ended');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish(error);
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.length;
      if (this.#chunks.length === 0 && this.#outcome === 'open' && this.#controller?.paused === true) {
        this.#controller.resume();
      }
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#outcome === 'ended') return Promise.resolve({ value: undefined, done: true });
    if (this.#outcome !== 'open') return Promise.reject(this.#outcome);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** Stops reading: what is still to come is given up. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#abort(new Error('not read to its end'));
    this.#chunks.length = 0;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onAbort = (): void => this.#abort(this.#signal.reason as Error);

  #abort(error: Error): void {
    if (this.#outcome !== 'open') return;
    this.#abortedWith = error;
    this.#finish(error);
    this.#controller?.abort(error);
  }

  #finish(outcome: 'ended' | Error): void {
    if (this.#outcome !== 'open') return;
    this.#outcome = outcome;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (outcome === 'ended') waiter?.resolve({ value: undefined, done: true });
    else {
      this.#rejectHead(outcome);
      waiter?.reject(outcome);
    }
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#resolveDone();
  }
}
