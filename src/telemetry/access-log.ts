import type { ErrorCodeName } from './error-codes.ts';
import { jsonText } from './json-text.ts';

// The worker's side of the access log. In: finished exchanges. Out: whole JSON lines in batches, for main to write.
// Never waits: text that main has not yet taken counts against a credit, and lines beyond it are dropped and counted,
// so neither a slow reader of stdout nor a stalled main thread makes a worker's memory grow.

/** One exchange as it ended. Texts are latin1, one character a byte, and may hold anything that a client can send. */
export interface AccessEntry {
  readonly clientAddress: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** With its leading '?', or ''. */
  readonly query: string;
  readonly protocol: string;
  /** What the client got; 499 when it left first. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly durationMs: number;
  /** Id of the upstream, '' when none was chosen. */
  readonly upstream: string;
  /** Endpoint of the last try, '' when there was none. */
  readonly upstreamAddress: string;
  /** 0 when no upstream answered. */
  readonly upstreamStatus: number;
  /** -1 when no upstream answered. */
  readonly upstreamMs: number;
  readonly tries: number;
  /** Route id, '' when none matched. */
  readonly route: string;
  readonly requestId: string;
  readonly userAgent: string;
  readonly referer: string;
  readonly error: ErrorCodeName | undefined;
  readonly errorDetail: string;
}

export interface AccessLogOptions {
  /** Takes whole lines, and how many lines were dropped since the last call. */
  readonly send: (text: string, dropped: number) => void;
  /** Told of every dropped line at once. */
  readonly dropped?: (lines: number) => void;
  /** Text that may wait here and in main together. Default 1 MiB. */
  readonly creditBytes?: number;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

const flushEveryMs = 50;
const flushBytes = 16 * 1024;
const defaultCreditBytes = 1024 * 1024;

export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #clock: () => number;
  #text = '';
  #creditBytes: number;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #second = Number.NaN;
  #secondText = '';

  constructor(options: AccessLogOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.#creditBytes = options.creditBytes ?? defaultCreditBytes;
  }

  record(entry: AccessEntry): void {
    const line = formatLine(entry, this.#timeText());
    if (line.length > this.#creditBytes) {
      this.#dropped++;
      this.#options.dropped?.(1);
      return;
    }
    // Lines are ASCII, so characters are bytes.
    this.#creditBytes -= line.length;
    this.#text += line;
    if (this.#text.length >= flushBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushEveryMs).unref();
  }

  /** Main has written or dropped this much of what it was sent. */
  credit(bytes: number): void {
    this.#creditBytes += bytes;
  }

  /** Sends what is there. Drops alone are not sent: while main is stuck even empty messages would pile up. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text === '') return;
    const text = this.#text;
    const dropped = this.#dropped;
    this.#text = '';
    this.#dropped = 0;
    this.#options.send(text, dropped);
  }

  #timeText(): string {
    const now = this.#clock();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, -4);
    }
    return `${this.#secondText}${String(Math.floor(now - second * 1000)).padStart(3, '0')}Z`;
  }
}

function formatLine(entry: AccessEntry, time: string): string {
  const line =
    `{"time":"${time}","remote_addr":${jsonText(entry.clientAddress)},"method":${jsonText(entry.method)}` +
    `,"host":${jsonText(entry.host)},"path":${jsonText(entry.path)},"query":${jsonText(entry.query)}` +
    `,"protocol":"${entry.protocol}","status":${entry.status},"request_bytes":${entry.requestBytes}` +
    `,"response_bytes":${entry.responseBytes},"duration_ms":${thousandths(entry.durationMs)}` +
    `,"route":${jsonText(entry.route)},"request_id":${jsonText(entry.requestId)}` +
    `,"user_agent":${jsonText(entry.userAgent)},"referer":${jsonText(entry.referer)}`;
  return `${line}${upstreamPart(entry)}${errorPart(entry)}}\n`;
}

/** What an exchange did not come to has no members: no upstream, no try, no answer. */
function upstreamPart(entry: AccessEntry): string {
  if (entry.upstream === '') return '';
  const chosen = `,"upstream":${jsonText(entry.upstream)}`;
  if (entry.upstreamAddress === '') return chosen;
  const tried = `${chosen},"upstream_addr":${jsonText(entry.upstreamAddress)},"upstream_tries":${entry.tries}`;
  if (entry.upstreamMs < 0) return tried;
  return `${tried},"upstream_status":${entry.upstreamStatus},"upstream_ms":${thousandths(entry.upstreamMs)}`;
}

function errorPart(entry: AccessEntry): string {
  if (entry.error === undefined) return '';
  if (entry.errorDetail === '') return `,"error":"${entry.error}"`;
  return `,"error":"${entry.error}","error_detail":${jsonText(entry.errorDetail)}`;
}

function thousandths(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
