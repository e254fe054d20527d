import { matchesLabels } from '../util/label-selector.ts';
import type { ObjectContext } from './object-context.ts';

/** What the API server puts on every Namespace; manifests of a folder leave it out, and often the Namespace too. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Whether objects of the context's namespace are ours to look at. The labels of the Namespace count as a look-up. */
export function isWatchedNamespace(context: ObjectContext): boolean {
  const { namespace } = context.object;
  const { watchNamespaces, namespaceSelector } = context.options;
  if (watchNamespaces?.includes(namespace) === false) return false;
  if (namespaceSelector.length === 0) return true;
  const labels = context.lookUp('Namespace', namespace)?.meta.labels ?? [];
  return matchesLabels(namespaceSelector, new Map([[NAME_LABEL, namespace], ...labels]));
}
