import { isIPv4, isIPv6 } from 'node:net';

import { decodePortRef, maxPort } from './decode-port.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import type { EndpointSlice, Service, ServicePort, SliceEndpoint, SlicePort } from './service.ts';
import { dnsLabel, dnsName, plainText } from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

const serviceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const protocols = ['TCP', 'UDP', 'SCTP'] as const;
const addressTypes = ['IPv4', 'IPv6', 'FQDN'] as const;
/** The API server's bounds of one EndpointSlice. */
const maxEndpoints = 1000;
const maxAddresses = 100;

/** The label by which an EndpointSlice names its Service. */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** v1 Service. */
export function decodeService(root: Field, meta: ObjectMeta): Service {
  const spec = root.get('spec').object();
  const type = spec.get('type').choice(serviceTypes, 'ClusterIP');
  const ports = spec.get('ports').list();
  const names = new Set<string>();
  return {
    kind: 'Service',
    meta,
    type,
    clusterIP: spec.get('clusterIP').optionalText({ check: plainText }) ?? '',
    externalName: type === 'ExternalName' ? spec.get('externalName').text({ check: dnsName }) : '',
    ports: ports.map((port) => decodeServicePort(port, { names, mustBeNamed: ports.length > 1 })),
  };
}

interface PortContext {
  /** Names seen so far in this Service. */
  readonly names: Set<string>;
  readonly mustBeNamed: boolean;
}

function decodeServicePort(port: Field, { names, mustBeNamed }: PortContext): ServicePort {
  const nameField = port.object().get('name');
  const name = nameField.optionalText({ check: dnsLabel }) ?? '';
  if (name === '' && mustBeNamed) nameField.want('a name, because the Service has several ports');
  if (name !== '' && names.has(name)) nameField.want('a name that no other port of the Service has');
  names.add(name);
  const targetPort = port.get('targetPort');
  return {
    name,
    port: port.get('port').integer(1, maxPort),
    protocol: port.get('protocol').choice(protocols, 'TCP'),
    appProtocol: port.get('appProtocol').optionalText({ check: plainText }),
    targetPort: targetPort.absent || targetPort.value === 0 ? undefined : decodePortRef(targetPort),
  };
}

/** discovery.k8s.io/v1 EndpointSlice. */
export function decodeEndpointSlice(root: Field, meta: ObjectMeta): EndpointSlice {
  const addressType = root.get('addressType').choice(addressTypes);
  return {
    kind: 'EndpointSlice',
    meta,
    service: meta.labels.get(serviceNameLabel) ?? '',
    addressType,
    endpoints: root
      .get('endpoints')
      .list(maxEndpoints)
      .map((endpoint) => decodeEndpoint(endpoint, addressChecks[addressType])),
    ports: root.get('ports').list(maxAddresses).map(decodeSlicePort),
  };
}

const addressChecks: Readonly<Record<(typeof addressTypes)[number], TextCheck>> = {
  IPv4: (text) => (isIPv4(text) ? undefined : 'an IPv4 address'),
  IPv6: (text) => (isIPv6(text) && !text.includes('%') ? undefined : 'an IPv6 address without a zone'),
  FQDN: dnsName,
};

/** Conditions left out follow KEP-752: ready counts as true, serving as ready, terminating as false. */
function decodeEndpoint(endpoint: Field, check: TextCheck): SliceEndpoint {
  const conditions = endpoint.object().get('conditions');
  conditions.optionalObject();
  const ready = conditions.get('ready').optionalBoolean() ?? true;
  return {
    addresses: endpoint
      .get('addresses')
      .filledList(maxAddresses)
      .map((address) => address.text({ check })),
    ready,
    serving: conditions.get('serving').optionalBoolean() ?? ready,
    terminating: conditions.get('terminating').optionalBoolean() ?? false,
    zone: endpoint.get('zone').optionalText({ check: plainText }),
    nodeName: endpoint.get('nodeName').optionalText({ check: plainText }),
  };
}

function decodeSlicePort(port: Field): SlicePort {
  const number = port.object().get('port');
  return {
    name: port.get('name').optionalText({ check: dnsLabel }) ?? '',
    port: number.absent ? undefined : number.integer(1, maxPort),
    protocol: port.get('protocol').choice(protocols, 'TCP'),
  };
}
