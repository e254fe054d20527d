import { hash } from 'node:crypto';

import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import { objectName } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

/**
 * Where identity comes from. `cluster`: the API server's uid and resourceVersion. `content`: made from the name and a
 * digest of the document, whatever a file says about them; an exported and then edited manifest still carries the
 * resourceVersion that it was exported with.
 */
export type Identity = 'cluster' | 'content';

export interface MetaOptions {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly identity: Identity;
  readonly nameCheck?: TextCheck;
}

/** The API server's own limit on the annotations of one object, in characters. */
const maxAnnotations = 256 * 1024;

/** Reads `metadata` of the object that `root` holds. */
export function decodeMeta(root: Field, options: MetaOptions): ObjectMeta {
  const metadata = root.get('metadata').object();
  const name = metadata.get('name').text({ check: options.nameCheck ?? objectName });
  const namespace = options.namespaced
    ? (metadata.get('namespace').optionalText({ check: objectName }) ?? 'default')
    : '';
  const annotations = decodeAnnotations(metadata.get('annotations'));
  return {
    name,
    namespace,
    ...identityOf(root, metadata, { ...options, name, namespace }),
    generation: metadata.get('generation').integer(0, Number.MAX_SAFE_INTEGER, 0),
    createdAtMs: decodeTime(metadata.get('creationTimestamp')),
    annotations,
    labels: metadata.get('labels').textMap(),
  };
}

interface Named extends MetaOptions {
  readonly name: string;
  readonly namespace: string;
}

function identityOf(
  root: Field,
  metadata: Field,
  { kind, namespace, name, identity }: Named,
): Pick<ObjectMeta, 'uid' | 'resourceVersion'> {
  const uid = metadata.get('uid').optionalText();
  const resourceVersion = metadata.get('resourceVersion').optionalText();
  if (identity === 'cluster' && uid !== undefined && resourceVersion !== undefined) {
    return { uid, resourceVersion };
  }
  return {
    uid: [kind, namespace, name].filter((part) => part !== '').join('/'),
    resourceVersion: hash('sha256', JSON.stringify(root.value) ?? '', 'base64url').slice(0, 22),
  };
}

function decodeAnnotations(field: Field): ReadonlyMap<string, string> {
  const annotations = field.textMap();
  let size = 0;
  for (const [key, value] of annotations) size += key.length + value.length;
  if (size > maxAnnotations) field.fault(`Got ${size} characters, want at most ${maxAnnotations}`);
  return annotations;
}

function decodeTime(field: Field): number {
  const text = field.optionalText();
  if (text === undefined) return 0;
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  field.want('a time such as 2026-01-31T12:00:00Z');
  return 0;
}
