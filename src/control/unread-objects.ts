import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ObjectIdentity } from '../kube/reflector-events.ts';
import type { ReportedKind } from '../kube/status-feed.ts';
import type { ObjectKey } from '../model/object-meta.ts';
import { reportedKind } from './report-entry.ts';
import type { UnreadObject } from './report-entry.ts';

/** Of an object that the source could not read: which version of it. */
export type Identify = (kind: ReportedKind, key: ObjectKey) => ObjectIdentity | undefined;

/** Objects that the source found and could not read, by `kind/namespace/name`. */
export class UnreadObjects {
  readonly #identify: Identify;
  #findings: readonly Diagnostic[] = [];
  #objects = new Map<string, UnreadObject>();

  constructor(identify: Identify) {
    this.#identify = identify;
  }

  /** Takes everything that the source finds now. Tells what is new or different, and what is no longer so. */
  update(diagnostics: readonly Diagnostic[]): {
    readonly came: readonly UnreadObject[];
    readonly went: readonly string[];
  } {
    if (diagnostics === this.#findings) return { came: [], went: [] };
    this.#findings = diagnostics;
    const before = this.#objects;
    this.#objects = this.#collect(diagnostics);
    return {
      came: [...this.#objects]
        .filter(([name, one]) => !sameUnread(before.get(name), one))
        .map(([, one]) => one),
      went: [...before.keys()].filter((name) => !this.#objects.has(name)),
    };
  }

  #collect(diagnostics: readonly Diagnostic[]): Map<string, UnreadObject> {
    const found = new Map<string, UnreadObject & { diagnostics: Diagnostic[] }>();
    for (const diagnostic of diagnostics) {
      const { kind, namespace, name } = diagnostic.object;
      if (!reportedKind(kind) || name === '') continue;
      const key = `${namespace}/${name}`;
      const known = found.get(`${kind}/${key}`);
      if (known !== undefined) {
        known.diagnostics.push(diagnostic);
        continue;
      }
      const { uid, generation } = this.#identify(kind, key) ?? { uid: '', generation: 0 };
      found.set(`${kind}/${key}`, { kind, key, uid, generation, diagnostics: [diagnostic] });
    }
    return found;
  }
}

function sameUnread(a: UnreadObject | undefined, b: UnreadObject): boolean {
  return (
    a !== undefined &&
    a.uid === b.uid &&
    a.generation === b.generation &&
    a.diagnostics.length === b.diagnostics.length &&
    a.diagnostics.every(({ message, path }, index) => {
      const other = b.diagnostics[index];
      return other?.message === message && other.path === path;
    })
  );
}
