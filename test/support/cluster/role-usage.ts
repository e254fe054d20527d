import type { AuditEntry } from './audit-log.ts';

/** One rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1 PolicyRule) for resources. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/**
 * What rules allow and nobody did, as `watch networking.k8s.io/ingresses`, or `get secrets web` where a rule names
 * objects. Least privilege is when there is nothing. What was refused counts as not done.
 */
export function unusedGrants(
  rules: readonly PolicyRule[],
  entries: readonly AuditEntry[],
): readonly string[] {
  const used = new Set(entries.filter(({ code }) => code < 400).flatMap(doneBy));
  return grantsOf(rules).filter((grant) => !used.has(grant));
}

function grantsOf(rules: readonly PolicyRule[]): readonly string[] {
  const grants = rules.flatMap(({ verbs, apiGroups = [], resources = [], resourceNames = [''] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => grant(verb, group, resource, name))),
      ),
    ),
  );
  return [...new Set(grants)];
}

/** The grants that a request needed: by name or for all names, whichever a rule has. */
function doneBy({ verb, group, resource, subresource, name, code }: AuditEntry): readonly string[] {
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  // Server-side apply of what is not there: the API server asks whether it may be created, too.
  const verbs = verb === 'patch' && code === 201 ? ['patch', 'create'] : [verb];
  return verbs.flatMap((each) => [grant(each, group, whole, ''), grant(each, group, whole, name)]);
}

function grant(verb: string, group: string, resource: string, name: string): string {
  return `${verb} ${group === '' ? '' : `${group}/`}${resource}${name === '' ? '' : ` ${name}`}`;
}
