import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createSnapshot } from '../model/snapshot-store.ts';

import { readManifest, unreadableManifest } from './manifest-file.ts';
import { ManifestSet } from './manifest-set.ts';

const service = (name: string, port = 80): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: ${port}}]}\n`;
const documents = (...texts: readonly string[]): string => texts.join('---\n');

/** A set that is fed texts by path; undefined removes the file. */
class Folder {
  readonly set = new ManifestSet();

  save(path: string, text: string | undefined): ReturnType<ManifestSet['update']> {
    const file = text === undefined ? undefined : readManifest(path, text, this.set.file(path));
    return this.set.update([{ path, file }]);
  }
}

const ports = (update: ReturnType<ManifestSet['update']>): Record<string, number | undefined> =>
  Object.fromEntries(
    [...update.snapshot.objects.Service].map(
      ([
        key,
        {
          ports: [port],
        },
      ]) => [key, port?.port],
    ),
  );

const lines = (update: ReturnType<ManifestSet['update']>): readonly string[] =>
  update.diagnostics.map(
    ({ code, path, location }) => `${code} ${location?.file}:${location?.document}:${location?.line} ${path}`,
  );

describe('one file', () => {
  test('a broken document costs none of the others and is named by its own line', () => {
    const text = documents(`# first\n${service('a')}`, 'a: [1\nb: 2\n', service('c'));
    const update = new Folder().save('x.yaml', text);
    expect(ports(update)).toEqual({ 'default/a': 80, 'default/c': 80 });
    expect(lines(update)).toEqual(['SP1001 x.yaml:2:8 ']);
  });

  test('a broken document keeps what the file held and no good document declares', () => {
    const folder = new Folder();
    folder.save('x.yaml', documents(service('a'), service('b'), service('c')));
    const update = folder.save('x.yaml', documents(service('a', 81), 'kind: [\n', service('c', 83)));
    expect(ports(update)).toEqual({ 'default/a': 81, 'default/b': 80, 'default/c': 83 });
    const mended = folder.save('x.yaml', documents(service('a', 81), service('c', 83)));
    expect(ports(mended)).toEqual({ 'default/a': 81, 'default/c': 83 });
    expect(mended.diagnostics).toEqual([]);
  });

  test('an object of the wrong shape keeps its own last good version only', () => {
    const folder = new Folder();
    folder.save('x.yaml', documents(service('a'), service('b')));
    const broken = service('a').replace('port: 80', 'port: many');
    const update = folder.save('x.yaml', broken);
    expect(ports(update)).toEqual({ 'default/a': 80 });
    expect(lines(update)).toEqual(['SP1002 x.yaml:1:4 spec.ports[0].port']);
  });

  test('unfolds lists, with the line of each item', () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n  - ${service('a').replaceAll('\n', '\n    ')}\n  - kind: Service\n    apiVersion: v1\n    metadata: {name: B}\n    spec: {}\n`;
    const folder = new Folder();
    const update = folder.save('x.yaml', text);
    expect(ports(update)).toEqual({ 'default/a': 80 });
    expect(lines(update)).toEqual(['SP1002 x.yaml:1:11 metadata.name']);
    const ref = { kind: 'Service', namespace: 'default', name: 'a' };
    expect(folder.set.locate(ref)?.line).toBe(4);
    expect(folder.set.locate(ref, 'spec.ports[0].port')?.line).toBe(
      4 + service('a').split('port:')[0]!.split('\n').length - 1,
    );
  });

  test('a field that is left out has the line of what is around it', () => {
    const folder = new Folder();
    folder.save('x.yaml', `# first\n---\n${service('a')}`);
    const ref = { kind: 'Service', namespace: 'default', name: 'a' };
    const line = (path: string) => folder.set.locate(ref, path)?.line;
    expect(line('metadata.annotations[example.com/x]')).toBe(line('metadata'));
    expect(line('spec.ports[3]')).toBe(line('spec.ports'));
    expect(line('status')).toBe(line(''));
    expect(new Set(['', 'metadata', 'spec'].map(line)).size).toBe(3);
  });

  test('items of a typed list take kind and apiVersion from it', () => {
    const items = [{ metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } }];
    const update = new Folder().save(
      'x.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'ServiceList', items }),
    );
    expect(ports(update)).toEqual({ 'default/a': 80 });
  });

  test('a file that cannot be read keeps what it held', () => {
    const folder = new Folder();
    folder.save('x.yaml', service('a'));
    const file = unreadableManifest('x.yaml', 'EACCES', folder.set.file('x.yaml'));
    const update = folder.set.update([{ path: 'x.yaml', file }]);
    expect(ports(update)).toEqual({ 'default/a': 80 });
    expect(lines(update)).toEqual(['SP1001 x.yaml:1:1 ']);
  });

  test('JSON is read with the line of each fault', () => {
    const update = new Folder().save(
      'x.json',
      '{"apiVersion": "v1", "kind": "Service",\n"metadata": {"name": "a"},\n\t"spec":\n{"type": 3}}',
    );
    expect(lines(update)).toEqual(['SP1002 x.json:1:4 spec.type']);
  });

  test('JSON that does not parse is named by line', () => {
    const update = new Folder().save('x.json', '{\n"a": 1,\n"b": ]\n}');
    expect(lines(update)).toEqual(['SP1001 x.json:1:3 ']);
  });
});

describe('several files', () => {
  test('the first declaration by file name and document is in force, and the others are told of it', () => {
    const folder = new Folder();
    folder.save('b.yaml', documents(service('s', 82), service('s', 83)));
    const update = folder.save('a.yaml', service('s', 81));
    expect(ports(update)).toEqual({ 'default/s': 81 });
    expect(lines(update)).toEqual(['SP1004 b.yaml:1:1 ', 'SP1004 b.yaml:2:6 ']);
    const removed = folder.save('a.yaml', undefined);
    expect(ports(removed)).toEqual({ 'default/s': 82 });
    expect(lines(removed)).toEqual(['SP1004 b.yaml:2:6 ']);
  });

  test('a kind that is not read is listed once, at its first object', () => {
    const folder = new Folder();
    const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n';
    folder.save('b.yaml', documents(deployment, deployment));
    const update = folder.save('a.yaml', documents(service('a'), deployment));
    expect(lines(update)).toEqual(['SP1003 a.yaml:2:6 kind']);
    expect(update.diagnostics[0]?.message).toContain('3 objects of kind "apps/v1 Deployment"');
  });

  test('a comment or a line break in front changes no object, and moves its line', () => {
    const folder = new Folder();
    folder.save('a.yaml', service('a'));
    const update = folder.save('a.yaml', `# moved\n\n${service('a')}`);
    expect(update.changed).toEqual([]);
    expect(folder.set.locate({ kind: 'Service', namespace: 'default', name: 'a' })?.line).toBe(3);
  });

  test('an edited export with its old resourceVersion is a change', () => {
    const folder = new Folder();
    const exported = (port: number): string =>
      service('a', port).replace('{name: a}', '{name: a, uid: u, resourceVersion: "7"}');
    folder.save('a.yaml', exported(80));
    expect(folder.save('a.yaml', exported(81)).changed).toEqual([{ kind: 'Service', key: 'default/a' }]);
  });

  test('any sequence of saves ends where reading the files at once ends', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const text = fc
      .array(fc.tuple(name, fc.integer({ min: 80, max: 82 })), { maxLength: 3 })
      .map((entries) => documents(...entries.map(([object, port]) => service(object, port))));
    const save = fc.tuple(fc.constantFrom('1.yaml', '2.yaml', '3.yaml'), fc.option(text, { nil: undefined }));
    fc.assert(
      fc.property(fc.array(save, { maxLength: 12 }), (saves) => {
        const folder = new Folder();
        const last = new Map<string, string | undefined>();
        let seen = createSnapshot([]);
        for (const [path, content] of saves) {
          last.set(path, content);
          seen = folder.save(path, content).snapshot;
        }
        const fresh = new Folder();
        let expected = fresh.set.update([]);
        for (const [path, content] of last) expected = fresh.save(path, content);
        expect(new Map(seen.objects.Service)).toEqual(new Map(expected.snapshot.objects.Service));
        expect(
          folder.set
            .update([])
            .diagnostics.map(({ message }) => message)
            .sort(),
        ).toEqual(expected.diagnostics.map(({ message }) => message).sort());
      }),
      { numRuns: 300 },
    );
  });
});

describe('hostile documents', () => {
  const ingress = (path: string): string =>
    JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'hostile', namespace: 'mallory' },
      spec: {
        rules: [
          {
            host: 'a.example',
            http: {
              paths: [
                { path, pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    });

  /** Saves the hostile text beside a good file; the good one must be untouched. */
  const beside = (path: string, text: string): ReturnType<ManifestSet['update']> => {
    const folder = new Folder();
    folder.save('good.yaml', service('good'));
    const update = folder.save(path, text);
    expect(ports(update)).toMatchObject({ 'default/good': 80 });
    return update;
  };

  test.each([
    ['a brace', '/x{y}'],
    ['a backtick', '/`id`'],
    ['a semicolon', '/x;return 200;'],
    ['a quote and a dollar', '/"$host\''],
    ['4 KiB', `/${'a'.repeat(4095)}`],
  ])('a path with %s is taken literally', (_what, path) => {
    const update = beside('x.json', ingress(path));
    expect(update.diagnostics).toEqual([]);
    expect(update.snapshot.objects.Ingress.get('mallory/hostile')?.rules[0]?.paths[0]?.path).toBe(path);
  });

  test.each([
    ['a line break', '/x\n}'],
    ['NUL', '/x\0'],
    ['no slash', 'x'],
    ['a dot segment', '/x/../y'],
    ['an encoded slash', '/x%2Fy'],
    ['more than 4 KiB', `/${'a'.repeat(4096)}`],
  ])('a path with %s is refused with a diagnostic', (_what, path) => {
    const update = beside('x.json', ingress(path));
    expect(update.snapshot.objects.Ingress.size).toBe(0);
    expect(update.diagnostics).toMatchObject([{ code: 'SP1002', path: 'spec.rules[0].http.paths[0].path' }]);
  });

  test('a list of paths of 1 MiB is taken', () => {
    const one = `{path: /x, pathType: Exact, backend: {service: {name: s, port: {number: 80}}}}`;
    const paths = Array.from({ length: Math.ceil((1024 * 1024) / one.length) }, () => one).join(', ');
    const text = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: big}\nspec: {rules: [{http: {paths: [${paths}]}}]}\n`;
    const update = beside('x.yaml', text);
    expect(update.diagnostics).toEqual([]);
    expect(update.snapshot.objects.Ingress.get('default/big')?.rules[0]?.paths.length).toBeGreaterThan(
      10_000,
    );
  });

  test.each(['__proto__', 'constructor', 'prototype'])('the key %s is refused wherever it stands', (key) => {
    const text = `${service('x')}`.replace(
      '{name: x}',
      `{name: x, annotations: {"${key}": {polluted: "yes"}}}`,
    );
    const update = beside('x.yaml', text);
    expect(lines(update)).toEqual([`SP1002 x.yaml:1:3 metadata.annotations.${key}`]);
    expect('polluted' in {}).toBe(false);
  });

  test('aliases that unfold to millions of values are refused', () => {
    const levels = Array.from({ length: 20 }, (_, n) => `  l${n + 1}: &l${n + 1} [*l${n}, *l${n}, *l${n}]`);
    const update = beside('x.yaml', `${service('x')}bomb:\n  l0: &l0 [x]\n${levels.join('\n')}\n`);
    expect(update.diagnostics).toMatchObject([{ code: 'SP1002' }]);
    expect(update.diagnostics[0]?.message).toContain('Too large');
  });

  test('a document that contains itself is refused', () => {
    const update = beside('x.yaml', `${service('x')}self: &self {again: *self}\n`);
    expect(update.diagnostics).toMatchObject([{ code: 'SP1002' }]);
  });

  test('a list that contains itself is refused', () => {
    const update = beside('x.yaml', '&self\nkind: List\nitems: [*self, *self]\n');
    expect(update.diagnostics).toMatchObject([{ code: 'SP1001' }]);
  });

  test('more aliases than any manifest needs are refused', () => {
    const update = beside('x.yaml', `a: &a 1\nb: [${Array.from({ length: 300 }, () => '*a').join(', ')}]\n`);
    expect(lines(update)).toEqual(['SP1001 x.yaml:1:2 ']);
  });

  test.each([
    ['deep nesting', '['.repeat(100_000)],
    ['a lone text', 'hello'],
    ['a number', '42'],
    ['a tag of another language', 'a: !!js/function "x"'],
    ['a duplicate key', 'a: 1\na: 2'],
    ['a tab', 'a:\n\tb: 1'],
  ])('%s is a diagnostic, not a crash', (_what, text) => {
    expect(beside('x.yaml', text).diagnostics.length).toBeGreaterThan(0);
  });

  test.each([
    ['nothing', ''],
    ['comments', '# only\n---\n# comments\n'],
    ['null', '---\n~\n---\n'],
  ])('%s is no object and no fault', (_what, text) => {
    expect(beside('x.yaml', text).diagnostics).toEqual([]);
  });
});
