import type { ObjectKey } from '../model/object-meta.ts';
import type { Kind, ModelObject } from '../model/snapshot.ts';
import { decodeContent, onlyStatusDiffers } from './project-object.ts';
import type { RawObject } from './project-object.ts';
import type { ObjectEvent } from './reflector-events.ts';
import { isOlder } from './resource-version.ts';

interface Known {
  readonly uid: string;
  /** The API server's, without the mark of a restored cluster that the model object's own may carry. */
  readonly version: string;
  /** What was last told of it; undefined: that it was refused, or nothing that still counts. */
  readonly object: ModelObject | undefined;
}

/**
 * What a reflector knows of its scope, and what differs when the API server says something about it. An object is never
 * overwritten by an older version of itself, whatever comes in which order.
 */
export class KnownObjects {
  readonly #kind: Kind;
  readonly #objects = new Map<ObjectKey, Known>();
  /** How often the cluster was set back to an older state while we watched. */
  #restores = 0;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): Iterable<ObjectKey> {
    return this.#objects.keys();
  }

  /** undefined: there is nothing new in it. */
  set(raw: RawObject): ObjectEvent | undefined {
    const known = this.#objects.get(raw.key);
    if (known !== undefined && known.uid === raw.uid) {
      if (known.version === raw.resourceVersion || isOlder(raw.resourceVersion, known.version))
        return undefined;
      if (known.object !== undefined && onlyStatusDiffers(known.object, raw)) {
        this.#objects.set(raw.key, { ...known, version: raw.resourceVersion });
        return { type: 'set', object: known.object, status: raw.status };
      }
    }
    return this.#replace(raw);
  }

  /** undefined: it was not known, or what is known is newer. */
  delete({ key, resourceVersion }: RawObject): ObjectEvent | undefined {
    const known = this.#objects.get(key);
    if (known === undefined || isOlder(resourceVersion, known.version)) return undefined;
    return this.deleteKey(key);
  }

  deleteKey(key: ObjectKey): ObjectEvent | undefined {
    return this.#objects.delete(key) ? { type: 'delete', kind: this.#kind, key } : undefined;
  }

  /**
   * The cluster went back to an older state. Versions say nothing about before and after now: what comes next counts as
   * new, even under a number that was seen before.
   */
  restored(): void {
    this.#restores += 1;
    for (const [key, known] of this.#objects)
      this.#objects.set(key, { uid: known.uid, version: '', object: undefined });
  }

  #replace(raw: RawObject): ObjectEvent {
    const { key, uid, resourceVersion: version, generation, status } = raw;
    const { object, diagnostics } = decodeContent(raw);
    if (object === undefined) {
      this.#objects.set(key, { uid, version, object: undefined });
      return { type: 'refused', kind: this.#kind, key, diagnostics, identity: { uid, generation }, status };
    }
    const marked = this.#restores === 0 ? object : this.#marked(object);
    this.#objects.set(key, { uid, version, object: marked });
    return { type: 'set', object: marked, status };
  }

  /** After a restore one number may stand for two contents; the model's version may not. */
  #marked(object: ModelObject): ModelObject {
    const resourceVersion = `${object.meta.resourceVersion}.${this.#restores}`;
    return { ...object, meta: { ...object.meta, resourceVersion } };
  }
}
