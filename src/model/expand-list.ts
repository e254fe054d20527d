import { Field } from './field.ts';

/** One object of a List, with its path in the document ('' when it is the document itself). */
export interface ListItem {
  readonly raw: unknown;
  readonly path: string;
}

/** Far above any cluster's count of objects; keeps a List that aliases itself from growing without end. */
const maxItems = 200_000;

/**
 * The objects of a `List`, `IngressList` and the like, Lists inside Lists too; any other document is handed back as it
 * is. Items of a typed list that leave out apiVersion and kind, as an API server's do, take them from the list.
 * undefined: more than 200,000 objects.
 */
export function expandList(raw: unknown, limit = maxItems): readonly ListItem[] | undefined {
  const found: ListItem[] = [];
  const queue: ListItem[] = [{ raw, path: '' }];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const items = listItems(next);
    if (items === undefined) found.push(next);
    // Backwards, because the queue is read from its end and the order of the document is kept.
    else for (const item of items.reversed) queue.push(item);
    if (found.length + queue.length > limit) return undefined;
    limit -= items === undefined ? 0 : 1;
  }
  return found;
}

function listItems({ raw, path }: ListItem): { readonly reversed: readonly ListItem[] } | undefined {
  const root = new Field(raw, path, []);
  const kind = root.get('kind').value;
  const items = root.get('items');
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items.value)) return undefined;
  const inherited =
    kind === 'List' ? {} : { apiVersion: root.get('apiVersion').value, kind: kind.slice(0, -'List'.length) };
  return {
    reversed: items.value
      .map((item: unknown, index) => ({ raw: inherit(item, inherited), path: `${items.path}[${index}]` }))
      .reverse(),
  };
}

function inherit(item: unknown, inherited: Readonly<Record<string, unknown>>): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item) || Object.hasOwn(item, 'kind'))
    return item;
  return { ...inherited, ...item };
}
