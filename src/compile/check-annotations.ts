import { trimmed } from '../filters/annotation-grammar.ts';
import { quote } from '../filters/value-reader.ts';
import { filterRegistry } from '../filters/registry.ts';
import { isFalse } from './annotation-reader.ts';
import type { AnnotationReader } from './annotation-reader.ts';
import { knownAnnotations } from './known-annotations.ts';
import type { KnownAnnotation } from './known-annotations.ts';
import type { ObjectContext } from './object-context.ts';

const known = new Map(knownAnnotations.map((entry) => [entry.name, entry]));
const filtered = new Set(filterRegistry.annotations.map(({ name }) => name));

/**
 * Reports every annotation that will not do what it says. Returns false when one of them may stand for protection that
 * the routes would then lack: they must fail closed.
 */
export function checkAnnotations(reader: AnnotationReader, context: ObjectContext): boolean {
  let safe = true;
  for (const [name, key] of reader.keys) {
    if (filtered.has(name)) continue;
    const entry = known.get(name);
    if (entry === undefined) {
      const message = `Ignoring annotation ${quote(key)}, which is none that Sallyport knows`;
      context.report('SP4001', reader.path(name), message);
    } else if (!isNeutral(entry, reader.get(name) ?? '')) {
      if (entry.status === 'closed') safe = false;
      report(entry, reader, context);
    }
  }
  return safe;
}

function report({ name, status }: KnownAnnotation, reader: AnnotationReader, context: ObjectContext): void {
  const quoted = `annotation ${quote(reader.keys.get(name) ?? name)}`;
  if (status === 'planned') {
    context.report('SP4002', reader.path(name), `Ignoring ${quoted}, which is not supported yet`);
  } else if (status === 'inert') {
    context.report('SP4004', reader.path(name), `Ignoring ${quoted}, which has nothing to switch here`);
  } else if (status === 'closed') {
    const message = `Not serving the routes of this object: ${quoted} is not supported and may stand for protection`;
    context.report('SP4003', reader.path(name), message);
  }
}

function isNeutral({ neutral = [] }: KnownAnnotation, value: string): boolean {
  return neutral.includes(trimmed(value)) || (neutral.includes('false') && isFalse(value));
}
