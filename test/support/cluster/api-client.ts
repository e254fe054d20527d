import { text } from 'node:stream/consumers';

import { ApiConnection } from './api-connection.ts';
import type { ApiAccess, ApiAnswer, CallOptions } from './api-connection.ts';
import { ApiError } from './api-error.ts';
import { Discovery } from './discovery.ts';
import { nameOf, parseManifests, referenceTo } from './manifest.ts';
import type { KindReference, KubeObject, Manifest, ObjectReference } from './manifest.ts';
import { readWatch } from './watch-stream.ts';
import type { WatchEvent } from './watch-stream.ts';

export interface ApplyOptions {
  /** Default `test`. */
  readonly fieldManager?: string;
  /** Nothing is stored (`dryRun=All`). */
  readonly dryRun?: boolean;
  /** `status`, `scale`, … */
  readonly subresource?: string;
}

export interface ListOptions {
  /** Every namespace when it is left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

interface ObjectList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}

const defaultWaitMs = 20_000;
const manyAtOnce = 32;
const pollEveryMs = 20;

/**
 * What tests do to a cluster. Calls reject with `ApiError` when the answer is no success, so that a test can look at
 * `status` and `detail`. Kinds are looked up in the API server's discovery, so those of a CRD work once it is applied.
 */
export class ApiClient {
  readonly #connection: ApiConnection;
  readonly #discovery: Discovery;
  readonly #made: ObjectReference[] = [];

  constructor(access: ApiAccess) {
    this.#connection = new ApiConnection(access);
    this.#discovery = new Discovery(async (path) => {
      const answer = await this.#ask('GET', path);
      return answer.status === 404 ? undefined : succeed(`discover ${path}`, answer);
    });
  }

  /** One call, whatever the status of its answer; rejects only without one. */
  call(method: string, path: string, options?: CallOptions): Promise<ApiAnswer> {
    return this.#connection.call(method, path, options);
  }

  /** The object, or undefined when there is none. */
  async get(reference: ObjectReference): Promise<KubeObject | undefined> {
    const answer = await this.#ask('GET', await this.#path(reference));
    if (answer.status === 404) return undefined;
    return succeed(`get ${nameOf(reference)}`, answer);
  }

  async list(kind: KindReference, options: ListOptions = {}): Promise<readonly KubeObject[]> {
    return (await this.#list(kind, options)).items;
  }

  async create(manifest: Manifest, { dryRun }: { readonly dryRun?: boolean } = {}): Promise<KubeObject> {
    const path = await this.#discovery.collection(manifest, manifest.metadata.namespace ?? 'default');
    const query = dryRun === true ? { dryRun: 'All' } : {};
    const answer = await this.#ask('POST', path, { body: manifest, query });
    return this.#note(succeed(`create ${nameOf(referenceTo(manifest))}`, answer), dryRun ?? false);
  }

  /** Creates many objects with several calls at a time; stops at the first that fails. */
  async createMany(manifests: Iterable<Manifest>): Promise<void> {
    const iterator = manifests[Symbol.iterator]();
    const drain = async (): Promise<void> => {
      for (let next = iterator.next(); next.done !== true; next = iterator.next())
        await this.create(next.value);
    };
    await Promise.all(Array.from({ length: manyAtOnce }, drain));
  }

  /** Server-side apply, conflicts forced. Lists of fields that are left out belong to whoever set them. */
  async apply(manifest: Manifest, options: ApplyOptions = {}): Promise<KubeObject> {
    const { fieldManager = 'test', dryRun = false, subresource } = options;
    const reference = referenceTo(manifest);
    const answer = await this.#ask('PATCH', await this.#path(reference, subresource), {
      body: manifest,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager, force: 'true', ...(dryRun && { dryRun: 'All' }) },
    });
    const object = succeed(`apply ${nameOf(reference)}`, answer);
    return this.#note(object, dryRun || answer.status !== 201);
  }

  /** Applies every object of a YAML text in its order. After a CRD it waits until its kind can be used. */
  async applyYaml(text: string, options: ApplyOptions = {}): Promise<readonly KubeObject[]> {
    const applied: KubeObject[] = [];
    for (const manifest of parseManifests(text)) {
      applied.push(await this.apply(manifest, options));
      if (manifest.kind === 'CustomResourceDefinition' && options.dryRun !== true)
        await this.#established(manifest);
    }
    return applied;
  }

  /** JSON merge patch (RFC 7396). */
  async patch(reference: ObjectReference, patch: unknown, subresource?: string): Promise<KubeObject> {
    const answer = await this.#ask('PATCH', await this.#path(reference, subresource), {
      body: patch,
      contentType: 'application/merge-patch+json',
    });
    return succeed(`patch ${nameOf(reference)}`, answer);
  }

  /** Replaces an object; with its `resourceVersion` only if nobody changed it meanwhile. */
  async replace(manifest: Manifest, subresource?: string): Promise<KubeObject> {
    const reference = referenceTo(manifest);
    const answer = await this.#ask('PUT', await this.#path(reference, subresource), { body: manifest });
    return succeed(`replace ${nameOf(reference)}`, answer);
  }

  /** Deletes an object; nothing happens when there is none. */
  async delete(reference: ObjectReference): Promise<void> {
    const answer = await this.#ask('DELETE', await this.#path(reference));
    if (answer.status !== 404) succeed(`delete ${nameOf(reference)}`, answer);
  }

  /**
   * Watches a kind from now on, or from a resource version. Ends with the signal or when the API server ends it;
   * throws when it refuses, or sends an `ERROR` event.
   */
  async *watch(
    kind: KindReference,
    options: ListOptions & { readonly resourceVersion?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchEvent> {
    const { signal } = options;
    try {
      const { resourceVersion = (await this.#list(kind, options)).metadata.resourceVersion } = options;
      const path = await this.#discovery.collection(kind, options.namespace);
      const query = { ...selectors(options), watch: 'true', resourceVersion, allowWatchBookmarks: 'true' };
      const { status, body } = await this.#connection.stream(path, { query, signal });
      if (status !== 200) throw new ApiError(`watch ${kind.kind}`, status, await text(body));
      yield* readWatch(body);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  }

  /**
   * Resolves with the object as soon as it is as wanted; `undefined` is asked about too when it is not there. Rejects
   * after `timeoutMs` with the object as it was last.
   */
  async waitFor(
    reference: ObjectReference,
    isWanted: (object: KubeObject | undefined) => boolean,
    timeoutMs = defaultWaitMs,
  ): Promise<KubeObject | undefined> {
    const signal = AbortSignal.timeout(timeoutMs);
    const scope = {
      fieldSelector: `metadata.name=${reference.name}`,
      namespace: (await this.#discovery.isNamespaced(reference))
        ? (reference.namespace ?? 'default')
        : undefined,
    };
    let last: KubeObject | undefined;
    // A watch may end at any time; what it missed is then in the next list.
    while (!signal.aborted) {
      const { items, metadata } = await this.#list(reference, scope);
      last = items[0];
      if (isWanted(last)) return last;
      for await (const event of this.watch(reference, { ...scope, ...metadata, signal })) {
        if (event.type === 'BOOKMARK') continue;
        last = event.type === 'DELETED' ? undefined : event.object;
        if (isWanted(last)) return last;
      }
    }
    const seen =
      last === undefined ? 'there is none' : `it is ${JSON.stringify({ ...last, metadata: undefined })}`;
    throw new Error(`wait for ${nameOf(reference)}: not as wanted after ${timeoutMs} ms, ${seen}`);
  }

  /** Deletes what this client created, the newest first. */
  async deleteMade(): Promise<void> {
    for (let next = this.#made.pop(); next !== undefined; next = this.#made.pop()) await this.delete(next);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #note(object: KubeObject, wasThere: boolean): KubeObject {
    if (!wasThere) this.#made.push(referenceTo(object));
    return object;
  }

  async #established(manifest: Manifest): Promise<void> {
    await this.waitFor(referenceTo(manifest), (object) => {
      const { conditions } = (object?.['status'] ?? {}) as {
        readonly conditions?: readonly { readonly type: string; readonly status: string }[] | null;
      };
      return conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
    });
    const { group, names, versions } = manifest['spec'] as {
      readonly group: string;
      readonly names: { readonly kind: string };
      readonly versions: readonly { readonly name: string; readonly served: boolean }[];
    };
    for (const { name, served } of versions) {
      if (served) await this.#usable({ apiVersion: `${group}/${name}`, kind: names.kind });
    }
  }

  /** An established kind is still missing from discovery for a moment, and its storage answers 429. */
  async #usable(kind: KindReference): Promise<void> {
    const deadline = performance.now() + defaultWaitMs;
    for (;;) {
      const path = await this.#discovery.lookUp(kind);
      const answer = path === undefined ? undefined : await this.#ask('GET', path, { query: { limit: '1' } });
      if (answer?.status === 200) return;
      if (performance.now() > deadline) {
        throw new Error(`wait for kind '${kind.kind}': answer ${answer?.status ?? 'unknown kind'}, want 200`);
      }
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  }

  /**
   * As `call`, but asks again at 429, as every client of an API server has to: the storage of a kind answers so for a
   * moment whenever its CRD changes.
   */
  async #ask(method: string, path: string, options?: CallOptions): Promise<ApiAnswer> {
    const deadline = performance.now() + defaultWaitMs;
    for (;;) {
      const answer = await this.call(method, path, options);
      if (answer.status !== 429 || performance.now() > deadline) return answer;
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  }

  async #list(kind: KindReference, options: ListOptions): Promise<ObjectList> {
    const path = await this.#discovery.collection(kind, options.namespace);
    const list = succeed<ObjectList>(
      `list ${kind.kind}`,
      await this.#ask('GET', path, { query: selectors(options) }),
    );
    // The objects of a list do not name their kind.
    const { apiVersion, kind: name } = kind;
    return { ...list, items: list.items.map((object) => ({ ...object, apiVersion, kind: name })) };
  }

  async #path(reference: ObjectReference, subresource?: string): Promise<string> {
    const collection = await this.#discovery.collection(reference, reference.namespace ?? 'default');
    const path = `${collection}/${encodeURIComponent(reference.name)}`;
    return subresource === undefined ? path : `${path}/${subresource}`;
  }
}

function selectors({ labelSelector, fieldSelector }: ListOptions): Record<string, string> {
  return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
}

function succeed<T = KubeObject>(action: string, { status, body }: ApiAnswer): T {
  if (status < 200 || status > 299) throw new ApiError(action, status, body);
  return body as T;
}
