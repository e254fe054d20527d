import type { ObjectMeta } from './object-meta.ts';

/** v1 Secret. `data` is decoded from base64 (and `stringData` merged over it). */
export interface Secret {
  readonly kind: 'Secret';
  readonly meta: ObjectMeta;
  readonly type: string;
  readonly data: ReadonlyMap<string, Buffer>;
}

/** v1 ConfigMap, its `data` only. */
export interface ConfigMap {
  readonly kind: 'ConfigMap';
  readonly meta: ObjectMeta;
  readonly data: ReadonlyMap<string, string>;
}

/** v1 Namespace. */
export interface Namespace {
  readonly kind: 'Namespace';
  readonly meta: ObjectMeta;
}
