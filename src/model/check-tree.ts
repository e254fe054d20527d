import { childPath } from './field.ts';
import type { Fault } from './field.ts';

/** Bounds of one object. An API server takes at most 3 MiB in one request. */
const maxNodes = 500_000;
const maxCharacters = 4 * 1024 * 1024;
const maxDepth = 64;

/** Names under which an object's prototype is reached. Nobody needs them as keys, so they are refused everywhere. */
const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

interface Visit {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

/**
 * Refuses what no decoder should see: keys that reach prototypes, and trees too large to walk. Aliases count each time
 * they are used, so a small document that unfolds to millions of nodes, or to itself, is refused too.
 */
export function checkTree(root: unknown): readonly Fault[] {
  const faults: Fault[] = [];
  const stack: Visit[] = [{ value: root, path: '', depth: 0 }];
  let nodes = 0;
  let characters = 0;
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    nodes += 1;
    if (typeof visit.value === 'string') characters += visit.value.length;
    if (nodes > maxNodes || characters > maxCharacters || visit.depth > maxDepth) {
      return [{ path: '', message: oversize(visit.depth > maxDepth) }];
    }
    if (typeof visit.value === 'object' && visit.value !== null) pushChildren(visit, stack, faults);
  }
  return faults;
}

function oversize(tooDeep: boolean): string {
  if (tooDeep) return `Nested too deep, want at most ${maxDepth} levels`;
  return `Too large, want at most ${maxNodes} values and ${maxCharacters} characters`;
}

function pushChildren({ value, path, depth }: Visit, stack: Visit[], faults: Fault[]): void {
  if (Array.isArray(value)) {
    // oxlint-disable-next-line typescript/prefer-for-of -- the index is part of the path
    for (let index = 0; index < value.length && index <= maxNodes; index += 1) {
      stack.push({ value: value[index], path: `${path}[${index}]`, depth: depth + 1 });
    }
    return;
  }
  for (const [key, child] of Object.entries(value as object)) {
    const at = childPath(path, key);
    if (refusedKeys.has(key)) {
      faults.push({ path: at, message: `Got the key "${key}", want another name` });
    } else {
      stack.push({ value: child, path: at, depth: depth + 1 });
    }
  }
}
