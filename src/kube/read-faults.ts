import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { StallReason } from './reflector-events.ts';
import type { ResourceScope } from './resources.ts';
import { describeScope } from './watch-plan.ts';
import type { PlannedScope } from './watch-plan.ts';

/** A scope that cannot be read now. */
export interface StalledScope extends PlannedScope {
  readonly reason: StallReason;
}

/** What findings that no single object is to blame for are about. */
const apiServer: ObjectRef = { kind: 'Cluster', namespace: '', name: 'api-server' };

/**
 * What to report of scopes that cannot be read. An API server that is out of reach is one finding, however many scopes
 * notice; texts do not change from one try to the next.
 */
export function readFaults(stalled: Iterable<StalledScope>): readonly Diagnostic[] {
  const faults = new Map<string, Diagnostic>();
  for (const { scope, mayBeForbidden, reason } of stalled) {
    const fault = readFault(scope, mayBeForbidden, reason);
    if (fault !== undefined) faults.set(`${fault.code} ${fault.message}`, fault);
  }
  return [...faults.values()];
}

/** Whether everything else may go on as if the scope had been read and found empty. */
export function countsAsRead({ scope, mayBeForbidden, reason }: StalledScope): boolean {
  return reason.kind === 'forbidden' ? mayBeForbidden : reason.kind === 'absent' && scope.resource.optional;
}

function readFault(
  scope: ResourceScope,
  mayBeForbidden: boolean,
  { kind }: StallReason,
): Diagnostic | undefined {
  const what = describeScope(scope);
  switch (kind) {
    case 'forbidden':
      if (scope.name !== undefined && scope.resource.byName) return refusedByName(scope);
      return diagnose(
        mayBeForbidden ? 'SP1206' : 'SP1201',
        apiServer,
        '',
        `Read ${what}: the API server refuses, want the verbs list and watch`,
      );
    case 'unauthorized':
      return diagnose('SP1203', apiServer, '', 'Read the cluster: the API server answers 401');
    case 'absent':
      if (scope.resource.optional) return undefined;
      return diagnose('SP1202', apiServer, '', `Read ${what}: the API server does not know the kind`);
    case 'unreachable':
      return diagnose('SP1202', apiServer, '', 'Read the cluster: the API server does not answer');
    case 'failing':
      return diagnose('SP1202', apiServer, '', `Read ${what}: the API server fails`);
  }
}

function refusedByName({ resource, namespace = '', name = '' }: ResourceScope): Diagnostic {
  return diagnose(
    'SP1204',
    { kind: resource.kind, namespace, name },
    '',
    `Read ${resource.kind} ${namespace}/${name}: the API server refuses, want the verbs list and watch on ` +
      `${resource.plural} in namespace "${namespace}", or on that name alone`,
  );
}

/** Open for as long as a saved snapshot is in force. */
export const savedSnapshotFault: Diagnostic = diagnose(
  'SP1205',
  apiServer,
  '',
  'Read the cluster: there was no answer since the start, and what was read before that is served',
);
