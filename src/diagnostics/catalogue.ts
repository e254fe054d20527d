import type { Severity } from './diagnostic.ts';

interface Entry {
  readonly severity: Severity;
  /** One sentence for the reference page. */
  readonly title: string;
  /** What the reader should do. No full stop. */
  readonly hint: string;
}

/**
 * Every diagnostic code. Codes are stable: people write alerts and scripts on them.
 * SP1xxx reading, SP2xxx objects and references, SP3xxx conflicts, SP4xxx annotations and filters.
 */
export const catalogue = {
  SP1001: {
    severity: 'error',
    title: 'A manifest file or document is not valid YAML or JSON',
    hint: 'Fix the syntax at the named line; until then the last good objects of this document stay in force',
  },
  SP1002: {
    severity: 'error',
    title: 'An object does not have the shape that its kind asks for',
    hint: 'Correct the named field; until then the last good version of this object stays in force',
  },
  SP1003: {
    severity: 'info',
    title: 'A manifest holds a kind that Sallyport does not read',
    hint: 'Nothing to do, unless the apiVersion or kind is misspelt',
  },
  SP1004: {
    severity: 'error',
    title: 'Two manifests declare the same object',
    hint: 'Keep one of them; the first by file name and document is in force',
  },
} as const satisfies Record<string, Entry>;

export type DiagnosticCode = keyof typeof catalogue;
