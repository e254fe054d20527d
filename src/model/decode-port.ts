import type { Field } from './field.ts';
import type { ServicePortRef } from './ingress.ts';
import { portName } from './text-checks.ts';

export const maxPort = 65_535;

/** A port as a number or a name in one field, as targetPort and a Route's `port` are. */
export function decodePortRef(field: Field): ServicePortRef {
  if (typeof field.value === 'string') return field.text({ check: portName });
  if (typeof field.value !== 'number') {
    field.want(`a port number from 1 to ${maxPort} or a port name`);
    return 0;
  }
  return field.integer(1, maxPort);
}
