import { describe, expect, test } from '@jest/globals';
import { filterRegistry } from './registry.ts';

describe.each(filterRegistry.specs)('$name', (spec) => {
  test('says what it is, in one sentence', () => {
    expect(spec.name).toMatch(/^[a-z][A-Za-z]*$/);
    expect(spec.doc).toMatch(/^[A-Z][^\n]*\.$/);
  });

  test('can be switched on somewhere', () => {
    expect(spec.route ?? spec.annotations).toBeDefined();
  });

  test('documents its annotations by bare name', () => {
    for (const { name, doc } of spec.annotations?.known ?? []) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(doc).toMatch(/\.$/);
    }
  });

  test('is found where it stands', () => {
    expect(filterRegistry.specs[filterRegistry.position(spec.name)]).toBe(spec);
    expect(filterRegistry.find(spec.name)).toBe(spec);
  });
});

describe('the chain', () => {
  const before = (one: string, other: string) =>
    filterRegistry.position(one) < filterRegistry.position(other);

  test.each([
    ['responseHeaders', 'redirect', 'the user has the last word on redirects too'],
    ['appRoot', 'redirect', 'as in ingress-nginx'],
    ['redirect', 'requestHeaders', 'what answers by itself comes before what changes the request'],
    ['redirect', 'rewritePath', 'redirects go by the path that the client asked for'],
    ['redirect', 'rewriteHost', 'redirects go by the host that the client asked for'],
  ])('%s stands before %s: %s', (one, other) => {
    expect(before(one, other)).toBe(true);
  });

  test('knows no other names', () => {
    expect(filterRegistry.find('toString')).toBeUndefined();
    expect(filterRegistry.position('nothing')).toBe(-1);
  });
});
