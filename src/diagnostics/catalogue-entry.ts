import type { Condition } from './condition.ts';
import type { Severity } from './diagnostic.ts';

/** What is known of a code. */
export interface CatalogueEntry {
  readonly severity: Severity;
  /** Which condition of the object it bears on. */
  readonly condition: Exclude<Condition['type'], 'Programmed'>;
  /** CamelCase, stable: the condition's reason while this is its first finding, and the reason of its Events. */
  readonly reason: string;
  /** Something that the object asks for is not done because of it: its condition is False. Default: with severity error. */
  readonly leavesOut?: boolean;
  /** One sentence for the reference page. */
  readonly title: string;
  /** What the reader should do. No full stop. */
  readonly hint: string;
}
