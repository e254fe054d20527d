import { EVENT_ID, getScalarValue } from 'js-yaml';
import type { Event } from 'js-yaml';

import { childPath } from '../model/field.ts';

interface Open {
  readonly type: 'document' | 'mapping' | 'sequence';
  readonly path: string;
  /** Items of a sequence so far. */
  items: number;
  /** Path of the member whose value comes next; undefined when a key comes next. */
  member: string | undefined;
}

/**
 * Line of every field of one YAML document, from 1, by its path as diagnostics write it. A member's line is that of
 * its key. What an alias or a merge brings in has no line of its own.
 */
export function pathLines(events: readonly Event[], source: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const lineAt = lineCounter(source);
  const open: Open[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      open.pop();
      continue;
    }
    const parent = open.at(-1);
    const path = parent === undefined ? '' : enter(parent, event, source);
    if (path === undefined) continue;
    const start = startOf(event);
    if (start >= 0 && !lines.has(path)) lines.set(path, lineAt(start));
    if (parent?.type === 'mapping' && parent.member === undefined) {
      parent.member = path;
      continue;
    }
    if (parent !== undefined) parent.member = undefined;
    const type = containerType(event);
    if (type !== undefined) open.push({ type, path, items: 0, member: undefined });
  }
  return lines;
}

/** The path of the node that the event begins. */
function enter(parent: Open, event: Event, source: string): string | undefined {
  if (parent.type === 'document') return parent.path;
  if (parent.type === 'sequence') {
    parent.items += 1;
    return `${parent.path}[${parent.items - 1}]`;
  }
  if (parent.member !== undefined) return parent.member;
  const key = event.type === EVENT_ID.SCALAR ? getScalarValue(source, event) : '?';
  return childPath(parent.path, key);
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start;
  return -1;
}

function containerType(event: Event): Open['type'] | undefined {
  if (event.type === EVENT_ID.DOCUMENT) return 'document';
  if (event.type === EVENT_ID.MAPPING) return 'mapping';
  return event.type === EVENT_ID.SEQUENCE ? 'sequence' : undefined;
}

/** Counts forward: nodes come in the order of the text, so the whole document is counted through once. */
function lineCounter(source: string): (position: number) => number {
  let line = 1;
  let at = 0;
  return (position) => {
    for (let next = source.indexOf('\n', at); next >= 0 && next < position; next = source.indexOf('\n', at)) {
      line += 1;
      at = next + 1;
    }
    return line;
  };
}
