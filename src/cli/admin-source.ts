import type { BackendEntry } from '../admin/backend-list.ts';
import type { RouteEntry } from '../admin/route-list.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ExplainRequest } from '../proxy/explain-request.ts';
import { UsageError } from './command-context.ts';
import type { CommandSource, FoundExplanation } from './command-source.ts';

const timeoutMs = 10_000;
const maxAnswerBytes = 256 * 1024 * 1024;
const defaultPort = '10254';

/** A running process, asked for its own answers. Throws UsageError for an address that is none. */
export function openAdmin(address: string, namespace: string | undefined): CommandSource {
  return new AdminSource(adminUrl(address), namespace);
}

/** Where the debug pages are: `host:port`, `:port`, a port alone or a URL; its path is the pages' prefix, `/debug` unless given. */
export function adminUrl(address: string): URL {
  const bare = /^\d{1,5}$/.test(address) ? `:${address}` : address;
  const named = bare.startsWith(':') ? `localhost${bare}` : bare;
  const url = URL.parse(/^https?:\/\//i.test(named) ? named : `http://${named}`);
  if (url === null || url.hostname === '') {
    throw new UsageError(`Read --admin: ${JSON.stringify(address)} is not host:port or a URL`);
  }
  if (url.port === '' && !/^https?:\/\//i.test(named)) url.port = defaultPort;
  url.pathname = url.pathname.replace(/\/+$/, '') || '/debug';
  url.search = '';
  url.hash = '';
  return url;
}

class AdminSource implements CommandSource {
  readonly #url: URL;
  readonly namespace: string | undefined;

  constructor(url: URL, namespace: string | undefined) {
    this.#url = url;
    this.namespace = namespace;
  }

  get place(): string {
    return this.#url.href;
  }

  // The process is of the same version, or the user mixes versions knowingly: answers are printed, nothing depends on them.
  routes(): Promise<readonly RouteEntry[]> {
    return this.#readList<RouteEntry>('routes');
  }

  backends(): Promise<readonly BackendEntry[]> {
    return this.#readList<BackendEntry>('backends');
  }

  findings(): Promise<readonly Diagnostic[]> {
    return this.#readList<Diagnostic>('diagnostics');
  }

  async explain({ url, method, headers, clientAddress }: ExplainRequest): Promise<FoundExplanation> {
    const query = new URLSearchParams({
      url: /^https?:\/\//i.test(url) ? url : `http://${url}`,
      method,
      client: clientAddress,
    });
    for (const [name, value] of headers) query.append('header', `${name}: ${value}`);
    return (await this.#read(`explain?${query.toString()}`)) as FoundExplanation;
  }

  async #readList<T>(page: string): Promise<readonly T[]> {
    const list = await this.#read(page);
    if (Array.isArray(list)) return list as readonly T[];
    throw new Error(
      `Cannot read ${this.#url.href}/${page}: the answer is no list; is it Sallyport of this version?`,
    );
  }

  /** Rejects with an Error that says what to do. */
  async #read(page: string): Promise<unknown> {
    const url = `${this.#url.href}/${page}`;
    const [path = url] = url.split('?', 1);
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' }).catch(
      (cause: unknown) => {
        throw new Error(`Cannot read ${path}: ${describeFailure(cause)}`, { cause });
      },
    );
    const text = await readText(response, path);
    if (response.status !== 200)
      throw new Error(`Cannot read ${path}: ${describeStatus(response.status, text)}`);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new Error(`Cannot read ${path}: the answer is not JSON; is it the admin port of Sallyport?`, {
        cause,
      });
    }
  }
}

async function readText({ body }: Response, path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > maxAnswerBytes)
      throw new Error(`Cannot read ${path}: the answer is larger than ${maxAnswerBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

const forwardHint = 'reach a pod with: kubectl port-forward -n NAMESPACE POD 10254';

function describeFailure(error: unknown): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const { code, message } = (cause ?? error) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return `nothing listens there; ${forwardHint}`;
  if (code === 'ENOTFOUND') return 'there is no host of that name';
  return message;
}

function describeStatus(status: number, text: string): string {
  const [line = ''] = text.replaceAll(/[^\P{Cc}\n]/gu, '?').split('\n', 1);
  if (status === 403) return `${line}; ${forwardHint}`;
  if (status === 404) return 'there is no such page; is it the admin port of Sallyport, of this version?';
  return `it answered ${status}${line === '' ? '' : `: ${line}`}`;
}
