import type { EndpointSlice, Service, ServicePort, SliceEndpoint, SlicePort } from '../model/service.ts';
import { endpointKey } from '../table/endpoint-key.ts';
import type { Endpoint } from '../table/route-table.ts';
import type { CompileOptions } from './compile-options.ts';
import { canonicalExternalName, externalNameFault } from './external-name.ts';
import { findPort } from './resolve-service.ts';

/**
 * Endpoints of one port of a Service, in order of address, then port. Those that are ready; when none is, those that
 * still serve while they terminate (KEP-1669), so that a rollout's last Pods answer rather than nobody.
 */
export function endpointsOf(
  service: Service,
  port: number,
  slices: readonly EndpointSlice[],
  options: CompileOptions,
): readonly Endpoint[] {
  const servicePort = findPort(service, port);
  if (service.type === 'ExternalName') return externalEndpoints(service, servicePort, port, options);
  if (servicePort === undefined) return [];
  const ready = collect(servicePort, slices, ({ ready }) => ready);
  return ready.length > 0
    ? ready
    : collect(servicePort, slices, ({ serving, terminating }) => serving && terminating);
}

function externalEndpoints(
  { externalName, ports }: Service,
  servicePort: ServicePort | undefined,
  port: number,
  options: CompileOptions,
): readonly Endpoint[] {
  if (!options.allowExternalName || externalNameFault(externalName) !== undefined) return [];
  if (servicePort === undefined && ports.length > 0) return [];
  const target = servicePort?.targetPort;
  return [
    {
      address: canonicalExternalName(externalName),
      port: typeof target === 'number' ? target : port,
      weight: 1,
    },
  ];
}

function collect(
  servicePort: ServicePort,
  slices: readonly EndpointSlice[],
  wanted: (endpoint: SliceEndpoint) => boolean,
): readonly Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const { addressType, endpoints, ports } of slices) {
    // An FQDN slice could name any host at all, and nothing in Kubernetes makes them.
    if (addressType === 'FQDN') continue;
    const addresses = endpoints.filter(wanted).flatMap((endpoint) => endpoint.addresses);
    for (const port of targetPorts(servicePort, ports)) {
      for (const address of addresses)
        found.set(endpointKey({ address, port }), { address, port, weight: 1 });
    }
  }
  return [...found.values()].toSorted(byAddressThenPort);
}

/** A slice's ports are matched by the name of the Service's port; the numbers are the Pods' own. */
function targetPorts(servicePort: ServicePort, ports: readonly SlicePort[]): readonly number[] {
  const numbers = new Set<number>();
  for (const { name, port, protocol } of ports) {
    if (name !== servicePort.name || protocol !== 'TCP') continue;
    const { targetPort } = servicePort;
    const number = port ?? (typeof targetPort === 'string' ? undefined : (targetPort ?? servicePort.port));
    if (number !== undefined) numbers.add(number);
  }
  return [...numbers];
}

function byAddressThenPort(a: Endpoint, b: Endpoint): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.port - b.port;
}
