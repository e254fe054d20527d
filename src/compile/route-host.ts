import { quote } from '../filters/value-reader.ts';
import type { ObjectContext } from './object-context.ts';

const MAX_HOST_LENGTH = 253;
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * A host of a rule in its canonical form: lower case; `*.` and a DNS name stands for one label; '' for every host.
 * Undefined when it is none of these. Addresses and ports are refused, as by Kubernetes.
 */
export function canonicalHost(host: string): string | undefined {
  const lower = host.toLowerCase();
  if (lower === '') return lower;
  const labels = lower.split('.');
  const name = labels[0] === '*' ? labels.slice(1) : labels;
  if (lower.length > MAX_HOST_LENGTH || name.length === 0 || !name.every((part) => label.test(part)))
    return undefined;
  return /^\d+$/.test(name.at(-1) ?? '') ? undefined : lower;
}

/** As `canonicalHost`, with a report of what cannot be used. */
export function checkedHost(host: string, field: string, context: ObjectContext): string | undefined {
  const canonical = canonicalHost(host);
  if (canonical === undefined) {
    const want = 'want a DNS name, with "*." in front for any one label';
    context.report('SP2003', field, `Leaving out host ${quote(host)}, ${want}`);
  }
  return canonical;
}
