import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { backendPolicySchema } from '../../src/model/backend-policy-schema.ts';
import { backendPolicyExample } from '../../tools/reference/backend-policy-page.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { Manifest } from '../support/cluster/manifest.ts';
import {
  apiVerdict,
  backendPolicy,
  controllerFaults,
  policyKind,
  storedObjects,
  unspoken,
} from '../support/crd-objects.ts';

const folder = join(import.meta.dirname, '../../crds');
const manifests = readdirSync(folder).map((name) => join(folder, name));

const policy = (fields: Readonly<Record<string, unknown>>): Manifest =>
  backendPolicy({ service: 'shop', ...fields });

/** What is wrong, the object, and the message of the API server (its start, or all of it). */
const bad: readonly (readonly [string, Manifest, string])[] = [
  ['no spec', { ...policy({}), spec: undefined }, 'spec: Required value'],
  ['no Service', backendPolicy({}), 'spec.service: Required value'],
  ['a Service in upper case', backendPolicy({ service: 'Shop' }), 'spec.service: Invalid value: "Shop"'],
  [
    'a Service name of 64 characters',
    backendPolicy({ service: 'a'.repeat(64) }),
    'spec.service: Too long: may not be more than 63 bytes',
  ],
  [
    'an unknown way to balance',
    policy({ balance: 'Random' }),
    'spec.balance: Unsupported value: "Random": supported values: "RoundRobin", "LeastRequest"',
  ],
  ['an unknown protocol', policy({ protocol: 'SPDY' }), 'spec.protocol: Unsupported value: "SPDY"'],
  [
    'a protocol that TLS decides, without TLS',
    policy({ protocol: 'Auto' }),
    'spec: Invalid value: protocol Auto needs tls: the protocol is chosen in its handshake',
  ],
  [
    'authorities from two places',
    policy({ tls: { caSecretName: 'a', caConfigMapName: 'b' } }),
    'spec.tls: Invalid value: authorities come from caSecretName or from caConfigMapName, not from both',
  ],
  [
    'no version of TLS',
    policy({ tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } }),
    'spec.tls: Invalid value: maxVersion is not below minVersion',
  ],
  [
    'an old version of TLS',
    policy({ tls: { minVersion: 'TLSv1.1' } }),
    'spec.tls.minVersion: Unsupported value: "TLSv1.1"',
  ],
  [
    'a version of TLS that is none',
    policy({ tls: { maxVersion: 'TLSv2' } }),
    'spec.tls.maxVersion: Unsupported value: "TLSv2"',
  ],
  [
    'a certificate for a name with an empty label',
    policy({ tls: { hostname: 'a..example' } }),
    'spec.tls: Invalid value: hostname is a DNS name in lower case, or an address',
  ],
  [
    'an older PROXY header',
    policy({ proxyProtocol: 'V1' }),
    'spec.proxyProtocol: Unsupported value: "V1": supported values: "V2"',
  ],
  [
    'no time to connect',
    policy({ timeouts: { connect: '0s' } }),
    'spec.timeouts.connect: Invalid value: "0s": this duration must be above 0',
  ],
  ['a duration without unit', policy({ timeouts: { read: '5' } }), 'spec.timeouts.read: Invalid value: "5"'],
  ['no tries', policy({ retries: { tries: 0 } }), 'spec.retries.tries: Invalid value: 0'],
  [
    'an unknown cause to retry',
    policy({ retries: { retryOn: ['sometimes'] } }),
    'spec.retries.retryOn[0]: Unsupported value: "sometimes"',
  ],
  [
    'no requests at a time',
    policy({ connections: { maxRequests: 0 } }),
    'spec.connections.maxRequests: Invalid value: 0',
  ],
  [
    'fewer idle connections than none',
    policy({ connections: { maxIdle: -1 } }),
    'spec.connections.maxIdle: Invalid value: -1',
  ],
  [
    'no request on a connection',
    policy({ connections: { maxRequestsPerConnection: 0 } }),
    'spec.connections.maxRequestsPerConnection: Invalid value: 0',
  ],
  [
    'connections that live shorter than they idle',
    policy({ connections: { idleTimeout: '1m', maxLifetime: '30s' } }),
    'spec.connections: Invalid value: idleTimeout is at most maxLifetime',
  ],
  [
    'no idle time',
    policy({ connections: { idleTimeout: '0s' } }),
    'spec.connections.idleTimeout: Invalid value: "0s": this duration must be above 0',
  ],
  [
    'a field that does not exist',
    policy({ loadBalancing: 'RoundRobin' }),
    'BackendPolicy in version "v1alpha1" cannot be handled as a BackendPolicy: strict decoding error: unknown field "spec.loadBalancing"',
  ],
];

describeWithCluster(
  'the CRD of BackendPolicy',
  (cluster) => {
    describe('takes', () => {
      test.each<readonly [string, Manifest]>([
        ['the example of the reference', backendPolicyExample],
        ['nothing but a Service', policy({})],
        ...storedObjects(policyKind),
      ])('%s', async (_, object) => {
        expect(await apiVerdict(cluster(), object)).toMatchObject({ accepted: true, message: '' });
        expect(controllerFaults(object).decoder).toEqual([]);
      });
    });

    describe('refuses', () => {
      test.each(bad)('%s', async (_, object, expected) => {
        const { accepted, message } = await apiVerdict(cluster(), object);
        expect([accepted, message]).toEqual([false, expect.stringContaining(expected)]);
        const { decoder, compiler } = controllerFaults(object);
        expect([...decoder, ...compiler]).not.toEqual([]);
      });
    });

    test('has a refused object for every rule, every choice and every required field', () => {
      const messages = bad.map(([, , message]) => message);
      expect(unspoken(backendPolicySchema, messages)).toEqual([]);
    });
  },
  { manifests },
);
