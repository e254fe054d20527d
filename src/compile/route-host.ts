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
