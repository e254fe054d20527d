import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';

/** What is wrong with the object that a route came from, and with those that lost to it. */
export function findingsOf(
  origin: ObjectRef | undefined,
  diagnostics: Iterable<Diagnostic>,
): readonly Diagnostic[] {
  if (origin === undefined) return [];
  const name = describeRef(origin);
  return [...diagnostics].filter(
    ({ object, winner }) =>
      describeRef(object) === name || (winner !== undefined && describeRef(winner) === name),
  );
}
