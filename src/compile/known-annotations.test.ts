import { expect, test } from '@jest/globals';

import { filterRegistry } from '../filters/registry.ts';
import { knownAnnotations } from './known-annotations.ts';

test('every name of ingress-nginx v1.15 is here, once', () => {
  expect(new Set(knownAnnotations.map(({ name }) => name)).size).toBe(138);
  expect(knownAnnotations.length).toBe(138);
});

test('what may stand for protection fails closed until something reads it', () => {
  const protective =
    /^(auth-|limit-|(allow|white|deny)list-source-range$|satisfy$|enable-modsecurity$|ssl-passthrough$|.*-snippet$)/;
  const read = new Set(filterRegistry.annotations.map(({ name }) => name));
  const open = knownAnnotations.filter(
    ({ name, status }) =>
      protective.test(name) && !read.has(name) && status !== 'closed' && status !== 'compiled',
  );
  // It changes how nginx passes its own variables on, and there are none here.
  expect(open.map(({ name }) => name)).toEqual(['auth-keepalive-share-vars']);
});
