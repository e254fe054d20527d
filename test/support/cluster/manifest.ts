import { parseYaml } from '../../../src/directory/parse-yaml.ts';
import { splitDocuments } from '../../../src/directory/split-documents.ts';

export interface ManifestMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** An object as somebody writes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ManifestMetadata;
  readonly [field: string]: unknown;
}

/** An object as the API server answers it. */
export interface KubeObject extends Manifest {
  readonly metadata: ManifestMetadata & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
  };
}

/** Kinds by their group and version. */
export interface KindReference {
  readonly apiVersion: string;
  readonly kind: string;
}

/** One object. Namespaced kinds without a namespace are in `default`. */
export interface ObjectReference extends KindReference {
  readonly name: string;
  readonly namespace?: string | undefined;
}

export function referenceTo({ apiVersion, kind, metadata }: Manifest): ObjectReference {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}

/** `Ingress shop/web`, for texts. */
export function nameOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The objects of a YAML text, many documents, `List`s taken apart. Throws at the first document that is none. */
export function parseManifests(text: string): readonly Manifest[] {
  return splitDocuments(text).flatMap((document): readonly Manifest[] => {
    const parsed = parseYaml(document.text);
    if (!parsed.ok) {
      throw new Error(`parse manifests: line ${document.firstLine + parsed.line - 1}: ${parsed.reason}`);
    }
    const value = (parsed.value ?? {}) as Manifest & { readonly items?: readonly Manifest[] };
    if (value.kind === 'List') return value.items ?? [];
    if (
      typeof value.kind !== 'string' ||
      typeof value.apiVersion !== 'string' ||
      typeof value.metadata?.name !== 'string'
    ) {
      throw new Error(
        `parse manifests: document at line ${document.line}: want apiVersion, kind and metadata.name`,
      );
    }
    return [value];
  });
}
