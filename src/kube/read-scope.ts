import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ModelObject } from '../model/snapshot.ts';
import { failureOfError, failureOfStatus } from './api-failure.ts';
import type { ApiFailure } from './api-failure.ts';
import type { KubeClock } from './kube-clock.ts';
import { listPages } from './list-pages.ts';
import { decodeContent, readRaw } from './project-object.ts';
import type { StallReason } from './reflector-events.ts';
import { resourcePath } from './resources.ts';
import type { ResourceScope } from './resources.ts';
import type { ApiRequest, Transport } from './transport.ts';

export interface ReadScopeOptions {
  readonly transport: Transport;
  readonly scope: ResourceScope;
  readonly clock: Pick<KubeClock, 'after'>;
  readonly signal: AbortSignal;
}

/** All of a scope, or nothing of it and why. */
export interface ScopeRead {
  readonly objects: readonly ModelObject[];
  readonly diagnostics: readonly Diagnostic[];
  readonly failure?: StallReason;
}

/** What the API server sent, or why there is nothing. */
type Raw = { readonly items: readonly unknown[] } | { readonly failure: ApiFailure };

const pageSize = 500;
const tries = 3;
const pauseMs = 500;
const longestPauseMs = 5000;

/** Reads a scope once: a list, or one object by name. Tries again what may pass; never rejects. */
export async function readScope(options: ReadScopeOptions): Promise<ScopeRead> {
  for (let left = tries; ; left--) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const raw = await (options.scope.name === undefined ? readList(options) : readNamed(options));
    if ('items' in raw) return decodeAll(raw.items, options.scope);
    const { stall, retryAfterMs = pauseMs } = raw.failure;
    if (stall.kind !== 'failing' || options.signal.aborted || left === 1) {
      return { objects: [], diagnostics: [], failure: stall };
    }
    // oxlint-disable-next-line no-await-in-loop -- as the API server asked
    await new Promise<void>((resolve) =>
      options.clock.after(Math.min(retryAfterMs, longestPauseMs), resolve),
    );
  }
}

async function readList(options: ReadScopeOptions): Promise<Raw> {
  const items: unknown[] = [];
  for await (const page of listPages({ ...options, pageSize })) {
    if (!('items' in page)) return { failure: page };
    items.push(...page.items);
  }
  return { items };
}

/** By `get`, which people have; where it is refused by `list`, which is what the controller itself has. */
async function readNamed(options: ReadScopeOptions): Promise<Raw> {
  const got = await readObject(options);
  if (!('failure' in got) || got.failure.stall.kind !== 'forbidden') return got;
  const listed = await readList(options);
  return 'items' in listed ? listed : got;
}

async function readObject({ transport, scope, signal }: ReadScopeOptions): Promise<Raw> {
  const { resource, namespace = '', name = '' } = scope;
  const request: ApiRequest = { method: 'GET', path: resourcePath(resource, { namespace, name }), signal };
  try {
    const response = await transport.request(request);
    return response.status === 200
      ? { items: [response.body] }
      : { failure: failureOfStatus(request, response) };
  } catch (error) {
    return { failure: failureOfError(request, error) };
  }
}

function decodeAll(items: readonly unknown[], { resource }: ResourceScope): ScopeRead {
  const objects: ModelObject[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const item of items) {
    const raw = readRaw(resource.kind, item);
    if (raw === undefined) continue;
    const decoded = decodeContent(raw);
    if (decoded.object !== undefined) objects.push(decoded.object);
    diagnostics.push(...decoded.diagnostics);
  }
  return { objects, diagnostics };
}
