import type { Candidate } from './candidate.ts';

/**
 * A node of an immutable radix tree over path characters. Editing copies the nodes between the root and the change.
 * The shape depends on the paths alone, not on the order in which they came.
 */
export interface PathNode<C extends Candidate> {
  /** Characters between the parent and this node; '' at the root only. */
  readonly label: string;
  /** Routes whose exact path ends here, and those whose prefix does, each in the order of precedence. */
  readonly exact: readonly C[];
  readonly prefix: readonly C[];
  /** In the order of their labels' first characters, which differ. */
  readonly children: readonly PathNode<C>[];
}

export type PathKind = 'exact' | 'prefix';
type Change<C> = (routes: readonly C[]) => readonly C[];

const none: readonly never[] = [];
export const emptyTree: PathNode<never> = { label: '', exact: none, prefix: none, children: none };

/** The child that continues with this character. */
export function childAt<C extends Candidate>(node: PathNode<C>, code: number): PathNode<C> | undefined {
  const { children } = node;
  let low = 0;
  let high = children.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const child = children[middle];
    if (child === undefined) return undefined;
    const first = child.label.charCodeAt(0);
    if (first === code) return child;
    if (first < code) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** The tree with the routes of one path changed. */
export function editPath<C extends Candidate>(
  root: PathNode<C>,
  path: string,
  kind: PathKind,
  change: Change<C>,
): PathNode<C> {
  const spine: PathNode<C>[] = [];
  let node = root;
  let at = 0;
  let edited: PathNode<C> | undefined;
  while (edited === undefined) {
    const child = at === path.length ? undefined : childAt(node, path.charCodeAt(at));
    const shared = child === undefined ? 0 : sharedLength(child.label, path, at);
    if (child === undefined) {
      edited =
        at === path.length
          ? changed(node, kind, change)
          : withChild(node, leaf(path.slice(at), kind, change));
    } else {
      spine.push(node);
      node = shared < child.label.length ? fork(child, shared) : child;
      at += shared;
    }
  }
  for (const parent of spine.reverse()) edited = withChild(parent, edited);
  return edited;
}

function changed<C extends Candidate>(node: PathNode<C>, kind: PathKind, change: Change<C>): PathNode<C> {
  return kind === 'exact' ? { ...node, exact: change(node.exact) } : { ...node, prefix: change(node.prefix) };
}

function leaf<C extends Candidate>(label: string, kind: PathKind, change: Change<C>): PathNode<C> {
  return changed({ label, exact: none, prefix: none, children: none }, kind, change);
}

/** A bare node for the first characters of a label, above the node with the rest. */
function fork<C extends Candidate>(node: PathNode<C>, length: number): PathNode<C> {
  const lower = { ...node, label: node.label.slice(length) };
  return { label: node.label.slice(0, length), exact: none, prefix: none, children: [lower] };
}

/** The parent with `child` in the place of the one with the same first character. A child that holds nothing disappears. */
function withChild<C extends Candidate>(parent: PathNode<C>, child: PathNode<C>): PathNode<C> {
  const code = child.label.charCodeAt(0);
  const found = parent.children.findIndex(({ label }) => label.charCodeAt(0) >= code);
  const place = found < 0 ? parent.children.length : found;
  const present = parent.children[place]?.label.charCodeAt(0) === code;
  const compact = compacted(child);
  return {
    ...parent,
    children: parent.children.toSpliced(place, present ? 1 : 0, ...(compact === undefined ? [] : [compact])),
  };
}

/** Nothing for a bare node without children; a bare node with one child becomes one node with it. */
function compacted<C extends Candidate>(node: PathNode<C>): PathNode<C> | undefined {
  if (node.exact.length > 0 || node.prefix.length > 0 || node.children.length > 1) return node;
  const [child] = node.children;
  return child === undefined ? undefined : { ...child, label: node.label + child.label };
}

function sharedLength(label: string, path: string, at: number): number {
  let length = 0;
  while (length < label.length && label.charCodeAt(length) === path.charCodeAt(at + length)) length++;
  return length;
}
