import { YAML11_SCHEMA, load } from 'js-yaml';

import { table } from './markdown.ts';

const opening = '<!-- values: written by tools/generate.ts -->';
const closing = '<!-- /values -->';

interface Value {
  readonly path: string;
  readonly default: unknown;
  readonly doc: string;
}

/** The README with the table of values between its two marks. Throws when it has no such marks. */
export function withValuesTable(readme: string, valuesYaml: string): string {
  const from = readme.indexOf(opening);
  const to = readme.indexOf(closing);
  if (from === -1 || to < from) throw new Error(`write the table of values: want ${opening} and ${closing}`);
  const rows = listValues(valuesYaml).map((value) => [
    `\`${value.path}\``,
    `\`${JSON.stringify(value.default)}\``,
    value.doc,
  ]);
  const text = table(['Value', 'Default', 'Meaning'], rows);
  return `${readme.slice(0, from + opening.length)}\n\n${text}\n\n${readme.slice(to)}`;
}

/** Every value in the order of the file. What has a comment `# --` is shown as one value, even if it is a mapping. */
export function listValues(valuesYaml: string): readonly Value[] {
  const docs = documented(valuesYaml);
  const values: Value[] = [];
  const left: [path: string, value: unknown][] = [['', load(valuesYaml, { schema: YAML11_SCHEMA })]];
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const [path, value] = next;
    const doc = docs.get(path);
    if (doc === undefined && isFilledMapping(value)) {
      const entries = Object.entries(value).map(([key, member]): [string, unknown] => [
        path === '' ? key : `${path}.${key}`,
        member,
      ]);
      left.unshift(...entries);
    } else {
      values.push({ path, default: value, doc: doc ?? '' });
    }
  }
  return values;
}

function isFilledMapping(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}

/** Paths of keys → the comment above them. The file is indented by two spaces, as the formatter leaves it. */
function documented(valuesYaml: string): ReadonlyMap<string, string> {
  const docs = new Map<string, string>();
  const path: string[] = [];
  let doc: string | undefined;
  for (const line of valuesYaml.split('\n')) {
    const comment = /^ *# -- (.*)$/.exec(line);
    const key = /^( *)([A-Za-z][\w]*):/.exec(line);
    if (comment !== null) {
      doc = comment[1];
    } else if (key !== null) {
      path.length = (key[1] ?? '').length / 2;
      path.push(key[2] ?? '');
      if (doc !== undefined) docs.set(path.join('.'), doc);
      doc = undefined;
    }
  }
  return docs;
}
