import type { ConfigMap, Namespace, Secret } from './core-objects.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';

/** RFC 4648 §4 with padding; line breaks are allowed, as in the API server's decoder. */
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/** v1 Secret. No message of it quotes a value. */
export function decodeSecret(root: Field, meta: ObjectMeta): Secret {
  const data = new Map<string, Buffer>();
  for (const [key, field] of root.get('data').hidden().members()) data.set(key, decodeBase64(field));
  for (const [key, text] of root.get('stringData').hidden().textMap()) data.set(key, Buffer.from(text));
  return { kind: 'Secret', meta, type: root.get('type').optionalText() ?? 'Opaque', data };
}

/** v1 ConfigMap. `binaryData` is left out. */
export function decodeConfigMap(root: Field, meta: ObjectMeta): ConfigMap {
  return { kind: 'ConfigMap', meta, data: root.get('data').textMap() };
}

/** v1 Namespace. */
export function decodeNamespace(_root: Field, meta: ObjectMeta): Namespace {
  return { kind: 'Namespace', meta };
}

function decodeBase64(field: Field): Buffer {
  if (field.absent) return Buffer.alloc(0);
  const text = typeof field.value === 'string' ? field.value.replace(/[\r\n]/g, '') : undefined;
  if (text !== undefined && text.length % 4 === 0 && base64Pattern.test(text)) {
    // Of its own: a slice of the shared pool would keep all that was decoded beside it, 64 KiB for a key of 2.
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text, 'base64'));
    bytes.write(text, 'base64');
    return bytes;
  }
  field.want('base64 (plain text belongs into stringData)');
  return Buffer.alloc(0);
}
