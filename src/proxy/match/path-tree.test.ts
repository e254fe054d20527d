import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { respondingRoute } from '../../../test/support/random-routes.ts';
import { compileCandidate } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { editPath, emptyTree } from './path-tree.ts';
import type { PathKind, PathNode } from './path-tree.ts';

type Tree = PathNode<Candidate>;

const route = compileCandidate(
  respondingRoute('r', { hosts: ['a.example'], path: { type: 'prefix', value: '/' }, rank: '1' }),
);
const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', '/'), { maxLength: 6 })
  .map((parts) => `/${parts.join('')}`);
const step = fc.record({ path, kind: fc.constantFrom<PathKind>('exact', 'prefix'), add: fc.boolean() });

function apply(tree: Tree, at: string, kind: PathKind, add: boolean): Tree {
  return editPath<Candidate>(tree, at, kind, () => (add ? [route] : []));
}

test('the shape depends on the paths that are in, not on how they came and what else was there', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let tree: Tree = emptyTree;
      const present = new Map<string, { path: string; kind: PathKind }>();
      for (const { path: at, kind, add } of steps) {
        tree = apply(tree, at, kind, add);
        if (add) present.set(`${kind} ${at}`, { path: at, kind });
        else present.delete(`${kind} ${at}`);
      }
      let fresh: Tree = emptyTree;
      for (const { path: at, kind } of [...present.values()].reverse()) fresh = apply(fresh, at, kind, true);
      expect(tree).toEqual(fresh);
    }),
    { numRuns: 500 },
  );
});

test('an edit leaves the tree that it began with as it was, and shares what it does not touch', () => {
  const before = apply(apply(emptyTree, '/a/x', 'prefix', true), '/b/y', 'exact', true);
  const copy = structuredClone({ ...before, children: before.children.map(({ label }) => label) });
  const after = apply(before, '/b/y/z', 'exact', true);
  expect({ ...before, children: before.children.map(({ label }) => label) }).toEqual(copy);
  const [slash, sameSlash] = [after.children[0], before.children[0]];
  expect(slash).not.toBe(sameSlash);
  expect(slash?.children[0]).toBe(sameSlash?.children[0]);
});

test('a chain of a thousand nodes comes and goes', () => {
  let tree: Tree = emptyTree;
  for (let length = 1; length <= 1000; length++) tree = apply(tree, `/${'a'.repeat(length)}`, 'exact', true);
  for (let length = 1; length <= 1000; length++) tree = apply(tree, `/${'a'.repeat(length)}`, 'exact', false);
  expect(tree).toEqual(emptyTree);
});
