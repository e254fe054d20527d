import { decodeObject } from '../model/decode-object.ts';
import { kindEntries } from '../model/kinds.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import { objectKey } from '../model/snapshot-store.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Kind, ModelObject } from '../model/snapshot.ts';

/** Kinds whose status this controller writes, and therefore reads. */
const reported: ReadonlySet<Kind> = new Set<Kind>(['Ingress', 'Route', 'BackendPolicy']);

/** kubectl's own copy of a whole object inside that object. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object as an API server sends it, with its identity read and checked. */
export interface RawObject {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion: string;
  /** 0 for kinds that have none. */
  readonly generation: number;
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly labels: Readonly<Record<string, unknown>>;
  /** `.status` of the kinds that are reported on, else undefined. */
  readonly status: unknown;
  /** Everything but the status and what nobody needs. */
  readonly content: Record<string, unknown>;
}

export interface DecodedContent {
  /** Left out when anything is wrong with it. */
  readonly object?: ModelObject;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * What an API server sent as one object of `kind`; undefined when it is none. `raw` is taken over: managedFields and
 * kubectl's copy, more than half of many objects, are cut out of it. Items of a list carry neither apiVersion nor kind.
 */
export function readRaw(kind: Kind, raw: unknown): RawObject | undefined {
  if (!isRecord(raw) || !isRecord(raw['metadata'])) return undefined;
  const metadata = raw['metadata'];
  const { name, namespace, uid, resourceVersion, generation } = metadata;
  if (!isText(name) || !isText(uid) || !isText(resourceVersion)) return undefined;
  if (kindEntries[kind].namespaced !== isText(namespace)) return undefined;
  if (raw['kind'] !== undefined && raw['kind'] !== kind) return undefined;
  const annotations = isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  delete metadata['managedFields'];
  delete annotations[lastApplied];
  const status = reported.has(kind) ? raw['status'] : undefined;
  delete raw['status'];
  raw['kind'] = kind;
  raw['apiVersion'] ??= kindEntries[kind].apiVersion;
  return {
    key: objectKey({ namespace: isText(namespace) ? namespace : '', name }),
    uid,
    resourceVersion,
    generation: typeof generation === 'number' ? generation : 0,
    annotations,
    labels: isRecord(metadata['labels']) ? metadata['labels'] : {},
    status,
    content: raw,
  };
}

/** The model object: the few fields that are used, out of everything that the API server holds. */
export function decodeContent({ content }: RawObject): DecodedContent {
  const { object, diagnostics } = decodeObject(content, { identity: 'cluster' });
  return object === undefined ? { diagnostics } : { object, diagnostics };
}

/** Whether a newer version of `known` differs in nothing but its status and who manages which field. */
export function onlyStatusDiffers(known: ModelObject, raw: RawObject): boolean {
  const { meta } = known;
  return (
    reported.has(known.kind) &&
    raw.generation > 0 &&
    meta.uid === raw.uid &&
    meta.generation === raw.generation &&
    sameTexts(meta.annotations, raw.annotations) &&
    sameTexts(meta.labels, raw.labels)
  );
}

function sameTexts(known: ReadonlyMap<string, string>, raw: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(raw);
  return keys.length === known.size && keys.every((key) => known.get(key) === raw[key]);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
