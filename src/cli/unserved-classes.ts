import type { Snapshot } from '../model/snapshot.ts';

const LEGACY_ANNOTATION = 'kubernetes.io/ingress.class';
const MAX_NAMED = 3;

/**
 * What to say where no route came of a folder or cluster because its objects are another class's, which is nobody's fault and
 * so no finding; '' where they name the class that is served, or where there are none. `namespace` undefined: all.
 */
export function describeUnservedClasses(
  { objects }: Snapshot,
  served: string,
  namespace: string | undefined,
): string {
  const counts = new Map<string, number>();
  for (const { ingressClassName, meta } of [...objects.Ingress.values(), ...objects.Route.values()]) {
    if (namespace !== undefined && meta.namespace !== namespace) continue;
    const name = ingressClassName ?? meta.annotations.get(LEGACY_ANNOTATION) ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0 || counts.has(served)) return '';
  const named = [...counts.keys()].filter((name) => name !== '');
  const classes = [...counts]
    .slice(0, MAX_NAMED)
    .map(([name, number]) => `${number} of ${name === '' ? 'no class' : `class ${JSON.stringify(name)}`}`);
  const more = counts.size > MAX_NAMED ? ` and ${counts.size - MAX_NAMED} other classes` : '';
  const [first] = named;
  const hint =
    first === undefined
      ? '--watch-ingress-without-class'
      : `--ingress-class ${first} --ingress-class-by-name`;
  return `No Ingress or Route is of class ${JSON.stringify(served)}, but ${classes.join(', ')}${more}; ${hint} serves them`;
}
