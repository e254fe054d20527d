import type { Kind, ModelObject, ObjectChange, Snapshot } from '../model/snapshot.ts';

/**
 * Objects that differ between two snapshots: added, removed, or another uid or resourceVersion. Objects that both share
 * cost one comparison.
 */
export function changesBetween(before: Snapshot, after: Snapshot): readonly ObjectChange[] {
  const changes: ObjectChange[] = [];
  for (const kind of Object.keys(after.objects) as Kind[]) {
    const old: ReadonlyMap<string, ModelObject> = before.objects[kind];
    const now: ReadonlyMap<string, ModelObject> = after.objects[kind];
    if (old === now) continue;
    for (const [key, object] of now) {
      if (!isSame(old.get(key), object)) changes.push({ kind, key });
    }
    for (const key of old.keys()) {
      if (!now.has(key)) changes.push({ kind, key });
    }
  }
  return changes;
}

function isSame(before: ModelObject | undefined, after: ModelObject): boolean {
  if (before === after) return true;
  return before?.meta.uid === after.meta.uid && before.meta.resourceVersion === after.meta.resourceVersion;
}
