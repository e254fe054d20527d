import { describe, expect, test } from '@jest/globals';

import { backendPolicySchema } from '../../src/model/backend-policy-schema.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { nodesOf, valueFaults } from '../../test/support/structural-schema.ts';
import { backendPolicyExample } from './backend-policy-page.ts';

// That the schema and the decoder of BackendPolicy ask for the same.

const policy = (fields: object) => ({ ...backendPolicyExample, spec: { service: 's', ...fields } });
const decoderFaults = (value: unknown): readonly string[] =>
  decodeObject(value, { identity: 'content' }).diagnostics.map(({ path, message }) => `${path}: ${message}`);

const maximal = policy({
  balance: 'RoundRobin',
  protocol: 'Auto',
  tls: {
    hostname: 'shop.internal',
    sni: true,
    verify: true,
    verifyDepth: 2,
    caSecretName: 'ca',
    clientSecretName: 'client',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: 'ECDHE+AESGCM:!aNULL',
  },
  proxyProtocol: 'V2',
  timeouts: { connect: '1s', send: '1s', read: '1s', request: '0s' },
  retries: { tries: 1, retryOn: ['error'], timeout: '0s' },
  connections: {
    maxRequests: 1,
    maxIdle: 0,
    idleTimeout: '1s',
    maxLifetime: '1s',
    maxRequestsPerConnection: 1,
  },
});

describe('schema and decoder of BackendPolicy', () => {
  test.each([
    ['the example', backendPolicyExample],
    ['every field', maximal],
    ['a Service alone', policy({})],
  ])('take %s', (_, value) => {
    expect(valueFaults(value, backendPolicySchema)).toEqual([]);
    expect(decoderFaults(value)).toEqual([]);
  });

  test('know the same fields', () => {
    const declared = nodesOf(backendPolicySchema).filter(
      ({ path, schema }) => path.startsWith('.spec') && schema['properties'] !== undefined,
    );
    expect(declared.map(({ path }) => path).toSorted()).toEqual(
      ['', '.connections', '.retries', '.timeouts', '.tls'].map((path) => `.spec${path}`),
    );
    for (const { path, schema } of declared) {
      const part = path.slice('.spec.'.length);
      const { spec } = maximal;
      const inner = new Map<string, unknown>(Object.entries(spec)).get(part) as object;
      const value = part === '' ? policy({ ...spec, zz: 1 }) : policy({ [part]: { ...inner, zz: 1 } });
      const message = decoderFaults(value).find((fault) => fault.includes('"zz"')) ?? '';
      const known = message.slice(message.indexOf('want one of ') + 'want one of '.length).split(', ');
      expect(known.toSorted()).toEqual(Object.keys(schema['properties'] ?? {}).toSorted());
    }
  });

  test.each([
    ['an unknown algorithm', { balance: 'Best' }],
    ['an unknown protocol', { protocol: 'HTTP9' }],
    ['a timeout without unit', { timeouts: { read: '30' } }],
    ['no tries', { retries: { tries: 0 } }],
    ['an unknown retry cause', { retries: { retryOn: ['http_418'] } }],
    ['a limit of no requests', { connections: { maxRequests: 0 } }],
    ['a limit that is a text', { connections: { maxRequests: '9' } }],
    ['a negative number of connections', { connections: { maxIdle: -1 } }],
    ['a million and one', { connections: { maxRequestsPerConnection: 1_000_001 } }],
    ['a lifetime with a fraction', { connections: { maxLifetime: '1.5s' } }],
    ['connections that are a list', { connections: [] }],
    ['a PROXY header of version 1', { proxyProtocol: 'V1' }],
    ['a host name with a port', { tls: { hostname: 'a.example:443', caSecretName: '' } }],
    ['a depth of nothing', { tls: { verifyDepth: 0 } }],
    ['an old version', { tls: { minVersion: 'TLSv1.1' } }],
    ['ciphers with a line break', { tls: { ciphers: 'a\nb' } }],
    ['a Secret that is none', { tls: { clientSecretName: 'A_b' } }],
    ['verification by a word', { tls: { verify: 'on' } }],
  ])('refuse %s', (_, fields) => {
    expect(valueFaults(policy(fields), backendPolicySchema)).not.toEqual([]);
    expect(decoderFaults(policy(fields))).not.toEqual([]);
  });
});
