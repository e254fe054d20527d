import { catalogueEntry } from './catalogue.ts';
import type { Diagnostic } from './diagnostic.ts';
import { cutText, findingText } from './finding-text.ts';

/** What an Event says of one finding (events.k8s.io/v1, KEP-383). */
export interface EventText {
  readonly reason: string;
  readonly type: 'Warning' | 'Normal';
  /** At most 1024 bytes, the API server's limit. */
  readonly note: string;
}

const maxNoteBytes = 1024;

/** The Event of a finding: its catalogue reason, Warning unless it is mere information, and the hint where it fits. */
export function eventText(diagnostic: Diagnostic): EventText {
  const { reason } = catalogueEntry(diagnostic.code);
  const fact = findingText(diagnostic);
  const full = `${fact}. ${diagnostic.hint}`;
  const cut = cutText(full, maxNoteBytes);
  return {
    reason,
    type: diagnostic.severity === 'info' ? 'Normal' : 'Warning',
    note: cut === full ? full : cutText(fact, maxNoteBytes),
  };
}
