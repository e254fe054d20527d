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
  SP1005: {
    severity: 'warning',
    title: 'A manifest declares a kind that Sallyport reads, in an apiVersion that it does not',
    hint: 'Rewrite the object for the apiVersion that the message names',
  },
  SP4201: {
    severity: 'error',
    title: 'A filter does not have the shape that it asks for',
    hint: 'Correct the named field; the reference of Route lists the fields of every filter',
  },
  SP4202: {
    severity: 'error',
    title: 'A filter names a header field that cannot exist',
    hint: 'Use letters, digits and hyphens',
  },
  SP4203: {
    severity: 'error',
    title: 'A filter names a header field that only the proxy may write',
    hint: 'Remove the entry; for Host use the filter rewriteHost',
  },
  SP4204: {
    severity: 'error',
    title: 'A filter sets a header value that cannot be sent',
    hint: 'Remove line breaks, control characters, characters outside latin1 and spaces at the ends',
  },
  SP4205: {
    severity: 'error',
    title: 'A filter names a host that is not one',
    hint: 'Write a DNS name or an address, without scheme and path',
  },
  SP4206: {
    severity: 'error',
    title: 'A filter rewrites to a path that cannot be used',
    hint: "Start it with '/', write it in normal form, and leave out query, fragment and dot segments",
  },
  SP4207: {
    severity: 'error',
    title: 'A regular expression of a filter, or its substitution, cannot be used',
    hint: 'Write RE2 syntax of at most 1024 characters and refer only to groups that the pattern has',
  },
  SP4251: {
    severity: 'warning',
    title: 'The value of an annotation cannot be used, and the annotation is left out',
    hint: 'Correct the value; the annotation reference shows what it takes',
  },
  SP4252: {
    severity: 'warning',
    title: 'The value of an annotation is out of range, and its default is used',
    hint: 'Correct the value or remove the annotation',
  },
} as const satisfies Record<string, Entry>;

export type DiagnosticCode = keyof typeof catalogue;
