import { expect, test } from '@jest/globals';
import { compiledAnnotations } from './annotation-docs.ts';
import { knownAnnotations } from './known-annotations.ts';

test('every annotation that this folder reads is documented, and no other', () => {
  const compiled = knownAnnotations.filter(({ status }) => status === 'compiled').map(({ name }) => name);
  expect(compiledAnnotations.map(({ name }) => name).toSorted()).toEqual(compiled.toSorted());
});
