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

/**
 * Every diagnostic code. Codes are stable: people write alerts and scripts on them.
 * SP1xxx reading, SP2xxx objects and references, SP3xxx conflicts, SP4xxx annotations and filters.
 */
export const catalogue = {
  SP1001: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'Invalid',
    title: 'A manifest file or document is not valid YAML or JSON',
    hint: 'Fix the syntax at the named line; until then the last good objects of this document stay in force',
  },
  SP1002: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'Invalid',
    title: 'An object does not have the shape that its kind asks for',
    hint: 'Correct the named field; until then the last good version of this object stays in force',
  },
  SP1003: {
    severity: 'info',
    condition: 'Accepted',
    reason: 'UnsupportedKind',
    title: 'A manifest holds a kind that Sallyport does not read',
    hint: 'Nothing to do, unless the apiVersion or kind is misspelt',
  },
  SP1004: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'Duplicate',
    title: 'Two manifests declare the same object',
    hint: 'Keep one of them; the first by file name and document is in force',
  },
  SP1005: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'UnsupportedVersion',
    title: 'A manifest declares a kind that Sallyport reads, in an apiVersion that it does not',
    hint: 'Rewrite the object for the apiVersion that the message names',
  },
  SP1201: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'AccessRefused',
    title: 'The API server refuses access to a kind',
    hint: 'Grant the verbs list and watch on the named resource; until then what was read last stays in force',
  },
  SP1202: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'ClusterUnreachable',
    title: 'The API server does not answer, or fails',
    hint: 'Look after the API server; what was read last stays in force, and reading is tried again by itself',
  },
  SP1203: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'CredentialsRefused',
    title: 'The API server does not accept the credentials',
    hint: 'Renew the token or the client certificate; until then what was read last stays in force',
  },
  SP1204: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'AccessRefused',
    title: 'A Secret or ConfigMap that an object refers to may not be read',
    hint: 'Widen what may be read of Secrets (rbac.secrets in the chart): in the cluster, in the namespace, or by the name',
  },
  SP1205: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'SavedSnapshot',
    title: 'A saved snapshot is served, because the cluster could not be read since the start',
    hint: 'Look after the API server; the cluster takes the place of the snapshot as soon as all of it was read',
  },
  SP1206: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'ClassesUnreadable',
    title: 'IngressClasses may not be read, so no class is known',
    hint: 'Grant the verbs list and watch on ingressclasses, or start with --ingress-class-by-name',
  },
  SP2001: {
    severity: 'warning',
    condition: 'ResolvedRefs',
    reason: 'ClassNotFound',
    leavesOut: true,
    title: 'An object names our class, but the class does not exist',
    hint: 'Create the IngressClass, or start with --ingress-class-by-name',
  },
  SP2002: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'InvalidKind',
    title: 'A backend is a resource instead of a Service',
    hint: 'Name a Service and its port; there are no resources to serve',
  },
  SP2003: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidHost',
    title: 'A host cannot be used',
    hint: 'Write a DNS name without port, with "*." in front for any one label; leave it out for every host',
  },
  SP2004: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidPath',
    title: 'A path cannot be used',
    hint: "Start it with '/', and leave out query, fragment, encoded slashes and control characters",
  },
  SP2005: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidRegex',
    title: 'A regular expression cannot be used',
    hint: 'Write RE2 syntax of at most 1024 bytes; look-around and back-references do not exist there',
  },
  SP2006: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'NoBackend',
    title: 'A rule has no backend to forward to',
    hint: 'Name at least one backend with a weight above 0, or a filter that answers by itself',
  },
  SP2007: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidSourceRange',
    title: 'A source range is no address range',
    hint: 'Write a range like 10.0.0.0/8 or 2001:db8::/32, or a single address',
  },
  SP2101: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'BackendNotFound',
    title: 'A Service that is referred to does not exist',
    hint: 'Create the Service, or correct its name; until then its routes answer 503',
  },
  SP2102: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'BackendPortNotFound',
    title: 'A Service does not have the port that is referred to',
    hint: 'Use a number or name from the ports of the Service, over TCP; until then its routes answer 503',
  },
  SP2103: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'ExternalNameNotAllowed',
    title: 'A Service is of type ExternalName, which is switched off',
    hint: 'Use a Service with endpoints, or allow ExternalName for the whole controller',
  },
  SP2104: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'ExternalNameNotAllowed',
    title: 'A Service of type ExternalName refers to a place that is never forwarded to',
    hint: 'Name a host outside of this machine and its link',
  },
  SP2105: {
    severity: 'error',
    condition: 'ResolvedRefs',
    reason: 'RefNotPermitted',
    title: 'A reference to another namespace is refused',
    hint: 'Refer within the own namespace, or have the owner of the other one allow it with a ReferenceGrant',
  },
  SP2201: {
    severity: 'warning',
    condition: 'ResolvedRefs',
    reason: 'InvalidCertificateRef',
    leavesOut: true,
    title: 'A TLS Secret does not exist',
    hint: 'Create the Secret, or correct its name; until then clients see the default certificate',
  },
  SP2202: {
    severity: 'warning',
    condition: 'ResolvedRefs',
    reason: 'InvalidCertificateRef',
    leavesOut: true,
    title: 'A TLS Secret cannot be used',
    hint: 'Store a matching certificate and key in PEM under tls.crt and tls.key; until then clients see the default certificate',
  },
  SP2203: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'UnusedTLS',
    title: 'A TLS block has no host to serve',
    hint: 'Name the hosts in the TLS block or in the rules',
  },
  SP3001: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'Conflicted',
    leavesOut: true,
    title: 'A host and path are taken by another object',
    hint: 'Change the host, path or conditions, or remove one of the two; the older object keeps them',
  },
  SP3002: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'Conflicted',
    leavesOut: true,
    title: 'The certificate of a host is brought by another object',
    hint: 'Use the same Secret in both, or remove one; the older object decides',
  },
  SP3003: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'CanaryWithoutMain',
    leavesOut: true,
    title: 'A canary has no main',
    hint: 'Give an Ingress without canary annotations the same host, path and path type',
  },
  SP3004: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'CanaryNotPermitted',
    title: 'A canary belongs to a main of another kind or namespace',
    hint: 'Put the canary into the namespace of its main Ingress',
  },
  SP3005: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'Conflicted',
    leavesOut: true,
    title: 'A main has more than one canary',
    hint: 'Remove one of the canaries; the older one counts',
  },
  SP3006: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'Conflicted',
    leavesOut: true,
    title: 'A Service has more than one BackendPolicy',
    hint: 'Remove one of them; the older one counts',
  },
  SP3007: {
    severity: 'info',
    condition: 'Accepted',
    reason: 'PolicyOverridden',
    title: 'An annotation goes before a field of a BackendPolicy',
    hint: 'Nothing to do if that is meant; else remove the annotation',
  },
  SP4001: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'UnknownAnnotation',
    title: 'An annotation under one of our prefixes is not known',
    hint: 'Correct the spelling or remove the annotation',
  },
  SP4002: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'UnsupportedAnnotation',
    title: 'An annotation is known but not supported yet',
    hint: 'Remove the annotation, or do without what it does',
  },
  SP4003: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'UnsupportedAnnotation',
    title: 'An annotation that may stand for protection is not supported',
    hint: 'Remove the annotation if the routes may be served without it; until then they answer 503',
  },
  SP4004: {
    severity: 'info',
    condition: 'Accepted',
    reason: 'UnusedAnnotation',
    title: 'An annotation has no effect here',
    hint: 'Nothing to do; the annotation may be removed',
  },
  SP4101: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'UnusedAnnotation',
    title: 'A canary annotation is without effect',
    hint: 'Add the annotation canary: "true", or remove the others',
  },
  SP4102: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidAnnotation',
    title: 'A canary annotation does not hold the name of a header or cookie',
    hint: 'Use letters, digits and hyphens; until then the canary gets nothing',
  },
  SP4103: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidAnnotation',
    title: 'The pattern of a canary cannot be used',
    hint: 'Write RE2 syntax of at most 1024 bytes; until then the canary gets nothing',
  },
  SP4201: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A filter does not have the shape that it asks for',
    hint: 'Correct the named field; the reference of Route lists the fields of every filter',
  },
  SP4202: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A filter names a header field that cannot exist',
    hint: 'Use letters, digits and hyphens',
  },
  SP4203: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A filter names a header field that only the proxy may write',
    hint: 'Remove the entry; for Host use the filter rewriteHost',
  },
  SP4204: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A filter sets a header value that cannot be sent',
    hint: 'Remove line breaks, control characters, characters outside latin1 and spaces at the ends',
  },
  SP4205: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A filter names a host that is not one',
    hint: 'Write a DNS name or an address, without scheme and path',
  },
  SP4206: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A filter rewrites to a path that cannot be used',
    hint: "Start it with '/', write it in normal form, and leave out query, fragment and dot segments",
  },
  SP4207: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'InvalidFilter',
    title: 'A regular expression of a filter, or its substitution, cannot be used',
    hint: 'Write RE2 syntax of at most 1024 characters and refer only to groups that the pattern has',
  },
  SP4251: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'InvalidAnnotation',
    title: 'The value of an annotation cannot be used, and the annotation is left out',
    hint: 'Correct the value; the annotation reference shows what it takes',
  },
  SP4252: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'InvalidAnnotation',
    title: 'The value of an annotation is out of range, and its default is used',
    hint: 'Correct the value or remove the annotation',
  },
  SP4301: {
    severity: 'warning',
    condition: 'Accepted',
    reason: 'UnknownRetryCondition',
    title: 'A condition to retry on is not known',
    hint: 'Correct or remove the word',
  },
  SP4302: {
    severity: 'error',
    condition: 'Accepted',
    reason: 'UnknownFilter',
    title: 'A rule names a filter that does not exist',
    hint: 'Write one filter to a list item, by a name from the reference; until then the rule answers 503',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type DiagnosticCode = keyof typeof catalogue;

/** The entry of a code, by its general type. */
export function catalogueEntry(code: DiagnosticCode): CatalogueEntry {
  return catalogue[code];
}
