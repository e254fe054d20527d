import { catalogueEntry } from './catalogue.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Condition } from './condition.ts';
import type { Diagnostic } from './diagnostic.ts';
import { listFindings } from './finding-text.ts';

/** Where the workers of this process are with an object's newest generation. */
export type ProgrammedState =
  /** Every worker serves it. `closed`: why some of its routes answer 503 there. */
  | { readonly kind: 'live'; readonly closed: readonly string[] }
  /** Not yet. */
  | { readonly kind: 'pending' }
  /** No worker could link the table that holds it; the table before stays in force. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It could not be read; the version before, if there was one, stays in force. */
  | { readonly kind: 'unread' };

/**
 * The conditions Accepted, ResolvedRefs and Programmed of one object, in that order, from its open findings.
 *
 * - **Accepted** is False as soon as anything that the object asks for is left out, though the rest of it is served. This
 *   is Contour's habit: whoever waits for the condition learns of a rule that is missing. (Gateway API keeps Accepted True
 *   for such an object and adds PartiallyInvalid, which nobody waits for.) A finding that leaves nothing out stands in the
 *   message of a condition that is True.
 * - **ResolvedRefs** is the same for what the object refers to.
 * - **Programmed** is True when every worker serves what this generation compiles to, be it with parts left out. It is
 *   False when no worker could link it, or when one of its routes is closed (503) because a filter could not be built, and
 *   Unknown while the workers have not answered.
 *
 * A condition that is False has the reason of its first finding. Messages are the same for the same findings, in the order
 * given.
 */
export function objectConditions(
  diagnostics: readonly Diagnostic[],
  programmed: ProgrammedState,
): readonly Condition[] {
  if (diagnostics.length === 0 && programmed.kind === 'live' && programmed.closed.length === 0)
    return allWell;
  return [
    fromFindings('Accepted', diagnostics),
    fromFindings('ResolvedRefs', diagnostics),
    programmedCondition(programmed),
  ];
}

/** Whether a finding of this kind makes its condition False. */
export function leavesOut({ leavesOut: declared, severity }: CatalogueEntry): boolean {
  return declared ?? severity === 'error';
}

function wellDone(type: Condition['type']): Condition {
  return Object.freeze({ type, status: 'True', reason: type, message: '' });
}

const programmedWell = wellDone('Programmed');

/** Shared by all objects that nothing is wrong with, which are most. */
const allWell: readonly Condition[] = Object.freeze([
  wellDone('Accepted'),
  wellDone('ResolvedRefs'),
  programmedWell,
]);

function fromFindings(type: CatalogueEntry['condition'], diagnostics: readonly Diagnostic[]): Condition {
  const own = diagnostics.filter(({ code }) => catalogueEntry(code).condition === type);
  if (own.length === 0) return wellDone(type);
  const isGrave = ({ code }: Diagnostic): boolean => leavesOut(catalogueEntry(code));
  const grave = own.filter(isGrave);
  const others = own.filter((finding) => !isGrave(finding));
  const [first] = grave;
  const message = listFindings([...grave, ...others]);
  if (first === undefined) return { type, status: 'True', reason: type, message };
  return { type, status: 'False', reason: catalogueEntry(first.code).reason, message };
}

function programmedCondition(state: ProgrammedState): Condition {
  const type = 'Programmed';
  switch (state.kind) {
    case 'live': {
      if (state.closed.length === 0) return programmedWell;
      const message = listFindings(state.closed.map((text) => ({ message: text })));
      return { type, status: 'False', reason: 'RouteClosed', message };
    }
    case 'pending':
      return {
        type,
        status: 'Unknown',
        reason: 'Pending',
        message: 'Not every worker has taken it over yet',
      };
    case 'refused': {
      const message = `The table was refused, the one before stays in force: ${state.message}`;
      return { type, status: 'False', reason: 'TableRefused', message: message.slice(0, 2048) };
    }
    case 'unread':
      return {
        type,
        status: 'False',
        reason: 'Invalid',
        message: 'The object cannot be read; the last good version stays in force, if there was one',
      };
  }
}
