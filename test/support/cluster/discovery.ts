import type { KindReference } from './manifest.ts';

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

interface Found {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Where the API server keeps each kind, as it says itself. What was found is remembered. */
export class Discovery {
  readonly #read: (path: string) => Promise<unknown>;
  readonly #known = new Map<string, Found>();

  /** `read` gets a path and resolves with the answer's body, undefined when there is nothing at that path. */
  constructor(read: (path: string) => Promise<unknown>) {
    this.#read = read;
  }

  /** The path of all objects of a kind; of one namespace when it is given and the kind has namespaces. */
  async collection(kind: KindReference, namespace: string | undefined): Promise<string> {
    const { plural, namespaced } = await this.#find(kind);
    const within =
      namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    return `${root(kind)}${within}/${plural}`;
  }

  async isNamespaced(kind: KindReference): Promise<boolean> {
    return (await this.#find(kind)).namespaced;
  }

  /** The path of all objects of a kind, asked anew; undefined when the API server does not know it. */
  async lookUp(kind: KindReference): Promise<string | undefined> {
    const found = await this.#look(kind);
    return found === undefined ? undefined : `${root(kind)}/${found.plural}`;
  }

  async #find(kind: KindReference): Promise<Found> {
    const found = this.#known.get(key(kind)) ?? (await this.#look(kind));
    if (found === undefined) throw unknown(kind);
    return found;
  }

  async #look(kind: KindReference): Promise<Found | undefined> {
    const list = (await this.#read(root(kind))) as ResourceList | undefined;
    for (const { name, kind: named, namespaced } of list?.resources ?? []) {
      // `ingresses/status` is of the kind Ingress too.
      if (!name.includes('/')) {
        this.#known.set(key({ ...kind, kind: named }), { plural: name, namespaced });
      }
    }
    return this.#known.get(key(kind));
  }
}

function root({ apiVersion }: KindReference): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function key({ apiVersion, kind }: KindReference): string {
  return `${apiVersion} ${kind}`;
}

function unknown({ apiVersion, kind }: KindReference): Error {
  return new Error(
    `find kind '${kind}' of '${apiVersion}': the API server does not know it, want its CRD applied`,
  );
}
