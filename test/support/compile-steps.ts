import { createCompiler } from '../../src/compile/compiler.ts';
import type { CompileResult } from '../../src/compile/compiler.ts';
import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import type { CompileOptions } from '../../src/compile/compile-options.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { objectKey, SnapshotStore } from '../../src/model/snapshot-store.ts';
import type { ModelObject } from '../../src/model/snapshot.ts';

/** A compiler that is led from one snapshot to the next by manifests. */
export class CompileSteps {
  readonly #store = new SnapshotStore();
  readonly #compiler;

  constructor(options: Partial<CompileOptions> = {}) {
    this.#compiler = createCompiler({ ...defaultCompileOptions, watchIngressWithoutClass: true, ...options });
  }

  /** Adds or replaces objects. Throws for those that are not decoded. */
  set(...manifests: readonly object[]): CompileResult {
    return this.#apply(manifests.map((raw) => ({ type: 'set', object: decoded(raw) })));
  }

  remove(manifest: object): CompileResult {
    const { kind, meta } = decoded(manifest);
    return this.#apply([{ type: 'delete', kind, key: objectKey(meta) }]);
  }

  #apply(changes: Parameters<SnapshotStore['apply']>[0]): CompileResult {
    const { snapshot, changed } = this.#store.apply(changes);
    return this.#compiler.compile(snapshot, changed);
  }
}

function decoded(raw: object): ModelObject {
  const { object, diagnostics } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error(`decode a manifest: ${JSON.stringify(diagnostics)}`);
  return object;
}

export interface IngressOptions {
  /** Default: `default`. */
  readonly namespace?: string;
  readonly service?: string;
  readonly host?: string;
  readonly path?: string;
  /** Default: 2026-01-01. */
  readonly created?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An Ingress of one path; annotations by their names without prefix. */
export function ingressOf(name: string, options: IngressOptions = {}): object {
  const { service = 'web', host = `${name}.example`, path = '/', created = '2026-01-01' } = options;
  const annotations = Object.entries(options.annotations ?? {}).map(([key, value]) => [
    `nginx.ingress.kubernetes.io/${key}`,
    value,
  ]);
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      creationTimestamp: `${created}T00:00:00Z`,
      annotations: Object.fromEntries(annotations) as object,
    },
    spec: { rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }] },
  };
}

export function serviceOf(name: string): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } };
}

export function sliceOf(name: string, address: string): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: [address] }],
  };
}

export function secretOf(name: string, stringData: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', stringData };
}

export function policyOf(service: string, spec: object): object {
  return {
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'BackendPolicy',
    metadata: { name: service },
    spec: { service, ...spec },
  };
}
