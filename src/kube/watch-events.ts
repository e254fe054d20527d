import { failureOfError, failureOfEvent, failureOfStatus } from './api-failure.ts';
import type { ApiFailure } from './api-failure.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';
import type { KubeClock } from './kube-clock.ts';
import { isRecord } from './project-object.ts';
import type { WatchEnd } from './reflector-options.ts';
import type { ApiRequest, ApiStream, Transport } from './transport.ts';

/** What a watch says, checked as far as its outer shape goes. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Record<string, unknown>;
}

/** How a watch ended. */
export interface WatchOutcome {
  readonly end: WatchEnd;
  /** What went wrong; left out of an end that is nobody's fault. */
  readonly failure?: ApiFailure;
}

export interface WatchOptions {
  readonly transport: Transport;
  readonly request: ApiRequest;
  readonly clock: KubeClock;
  /** Ends the watch; it then counts as ended. */
  readonly signal: AbortSignal;
  /** How long nothing may come, asked each time that something came. */
  readonly silenceMs: () => number;
  /** The API server answered: from here on events come. */
  readonly onOpen: () => void;
  /** The events of one piece of the stream, in order; false: they make no sense, stop. */
  readonly onEvents: (events: readonly WatchEvent[]) => boolean;
}

const eventTypes: ReadonlySet<string> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** Opens one watch and reads it to its end. Never rejects. */
export async function runWatch(options: WatchOptions): Promise<WatchOutcome> {
  const silence = new SilenceTimer(options);
  try {
    return await open(options, silence);
  } catch (error) {
    if (silence.fired) return { end: 'silent' };
    if (options.signal.aborted) return { end: 'ended' };
    return { end: 'error', failure: failureOfError(options.request, error) };
  } finally {
    silence.stop();
  }
}

async function open(options: WatchOptions, silence: SilenceTimer): Promise<WatchOutcome> {
  const { transport, request } = options;
  const stream = await transport.stream({ ...request, signal: silence.signal });
  if (stream.status !== 200) {
    const body = await readShort(stream);
    const failure = failureOfStatus(request, { ...stream, body });
    return { end: failure.expired ? 'expired' : 'error', failure };
  }
  silence.heard();
  options.onOpen();
  const lines = new LineSplitter();
  for await (const chunk of stream.body) {
    silence.heard();
    const outcome = take(lines.push(chunk), options);
    if (outcome !== undefined) return outcome;
  }
  return lines.end() === undefined ? { end: 'ended' } : { end: 'garbage' };
}

/** Hands over the events of these lines; an outcome when the watch ends with them. */
function take(lines: readonly Line[], { request, onEvents }: WatchOptions): WatchOutcome | undefined {
  const events: WatchEvent[] = [];
  let outcome: WatchOutcome | undefined;
  for (const line of lines) {
    const event = 'value' in line && isRecord(line.value) ? line.value : {};
    const { type, object } = event;
    if (type === 'ERROR') {
      const failure = failureOfEvent(request, object);
      outcome = { end: failure.expired ? 'expired' : 'error', failure };
    } else if (typeof type === 'string' && eventTypes.has(type) && isRecord(object)) {
      events.push({ type: type as WatchEvent['type'], object });
      continue;
    }
    outcome ??= { end: 'garbage' };
    break;
  }
  if (events.length > 0 && !onEvents(events)) return { end: 'garbage' };
  return outcome;
}

const shortBytes = 64 * 1024;

/** The beginning of an answer that is no stream, as JSON or text. */
async function readShort({ body }: ApiStream): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > shortBytes) break;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Aborts a watch on which nothing came for too long after it was answered. One timer for the whole watch: it is moved on when it fires. */
class SilenceTimer {
  fired = false;
  readonly #controller = new AbortController();
  readonly #options: WatchOptions;
  #heardMs = 0;
  #cancel: (() => void) | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    if (options.signal.aborted) this.#stopAll();
    else options.signal.addEventListener('abort', this.#stopAll, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    const { clock, silenceMs } = this.#options;
    this.#heardMs = clock.now();
    this.#cancel ??= clock.after(silenceMs(), this.#check);
  }

  stop(): void {
    this.#cancel?.();
    this.#options.signal.removeEventListener('abort', this.#stopAll);
  }

  readonly #stopAll = (): void => this.#controller.abort();

  readonly #check = (): void => {
    const { clock, silenceMs } = this.#options;
    const leftMs = this.#heardMs + silenceMs() - clock.now();
    if (leftMs > 0) {
      this.#cancel = clock.after(leftMs, this.#check);
      return;
    }
    this.fired = true;
    this.#controller.abort();
  };
}
