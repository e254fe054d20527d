import { expect, test } from '@jest/globals';
import { fixedAddresses, serviceAddresses } from './publish-address.ts';

const clusterIP = '10.0.0.7';

test.each([
  ['a cluster address', { type: 'ClusterIP', clusterIP }, undefined, [{ ip: clusterIP }]],
  ['none of a headless Service', { type: 'ClusterIP', clusterIP: 'None' }, undefined, []],
  ['a cluster address for node ports', { type: 'NodePort', clusterIP }, undefined, [{ ip: clusterIP }]],
  [
    'external addresses before the cluster’s',
    { type: 'NodePort', clusterIP, externalIPs: ['203.0.113.9', '203.0.113.8'] },
    undefined,
    [{ ip: '203.0.113.8' }, { ip: '203.0.113.9' }],
  ],
  [
    'what the load balancer has, and external addresses, each once',
    { type: 'LoadBalancer', clusterIP, externalIPs: ['203.0.113.9'] },
    [{ hostname: 'lb.example' }, { ip: '203.0.113.9', ipMode: 'VIP' }, { ip: '2001:db8::1' }],
    [{ ip: '2001:db8::1' }, { ip: '203.0.113.9' }, { hostname: 'lb.example' }],
  ],
  ['none while a load balancer is being made', { type: 'LoadBalancer', clusterIP }, undefined, []],
  [
    'the name of an ExternalName',
    { type: 'ExternalName', externalName: 'up.example' },
    undefined,
    [{ hostname: 'up.example' }],
  ],
  ['none out of nonsense', { type: 'LoadBalancer', externalIPs: 7 }, 'x', []],
])('a Service publishes %s', (_, spec, ingress, expected) => {
  expect(serviceAddresses({ spec, status: { loadBalancer: { ingress } } })).toEqual(expected);
});

test('addresses that were written down', () => {
  expect(fixedAddresses(' 203.0.113.7, 2001:db8::1,edge.example,,203.0.113.7').current()).toEqual([
    { ip: '2001:db8::1' },
    { ip: '203.0.113.7' },
    { hostname: 'edge.example' },
  ]);
});
