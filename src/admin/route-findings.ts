import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { splitUpstreamId } from '../table/upstream-id.ts';
import type { Explained } from './admin-state.ts';

/** What is wrong with the object that a route came from, with those that lost to it, and with policies for its Services. */
export function findingsOf(
  { route, forward }: Explained,
  diagnostics: Iterable<Diagnostic>,
): readonly Diagnostic[] {
  if (route === undefined) return [];
  const name = describeRef(route.origin);
  const services = new Set(forward?.backends.map(({ upstream }) => splitUpstreamId(upstream).service));
  return [...diagnostics].filter(
    ({ object, winner, service }) =>
      describeRef(object) === name ||
      (winner !== undefined && describeRef(winner) === name) ||
      (service !== undefined && services.has(service)),
  );
}
