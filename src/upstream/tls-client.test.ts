import { describe, expect, test } from '@jest/globals';

import { TestAuthority } from '../../test/support/test-authority.ts';
import { sealEntry } from '../table/entry-digest.ts';
import type { TableAuthority, TableCertificate, UpstreamTls } from '../table/route-table.ts';
import { readBundle } from '../util/certificate-bundle.ts';
import { chainDepth } from './chain-depth.ts';
import { TlsClient } from './tls-client.ts';

const root = TestAuthority.root();
const pair = root.client('proxy');
const authority = sealEntry<TableAuthority>('authorities', { id: 'n/ca', ca: root.certificate });
const certificate = sealEntry<TableCertificate>('certificates', { id: 'n/pair', ...pair });
const refs = {
  certificate: (id: string) => (id === certificate.id ? certificate : undefined),
  authority: (id: string) => (id === authority.id ? authority : undefined),
};
const tls: UpstreamTls = { verify: true, name: 'a.example', sendName: true };
const to = ({ id, digest }: { readonly id: string; readonly digest: string }) => ({ id, digest });

describe('what an entry refers to', () => {
  test('is used as it is in the table', () => {
    const client = new TlsClient(
      { ...tls, authority: to(authority), certificate: to(certificate) },
      'http1',
      refs,
    );
    expect(client.fault).toBeUndefined();
    expect(client.options(undefined, false)).toMatchObject({
      rejectUnauthorized: true,
      servername: 'a.example',
      ALPNProtocols: ['http/1.1'],
    });
  });

  test.each<[string, Partial<UpstreamTls>, string]>([
    [
      'an authority that is not there',
      { authority: { id: 'n/gone', digest: '1' } },
      'authority "n/gone" is not in the table',
    ],
    [
      'an authority that was another one',
      { authority: { id: 'n/ca', digest: '1' } },
      'authority "n/ca" is another one in the table',
    ],
    [
      'a certificate that was another one',
      { certificate: { id: 'n/pair', digest: '1' } },
      'client certificate "n/pair" is another one in the table',
    ],
    ['suites that nobody knows', { ciphers: 'nonsense' }, 'TLS settings of the upstream cannot be used: '],
  ])('%s is a fault', (_, change, fault) => {
    const client = new TlsClient({ ...tls, ...change }, 'http1', refs);
    expect(client.fault).toContain(fault);
    expect(() => client.options(undefined, false)).toThrow('TLS to endpoints');
  });

  test('what is offered by ALPN follows the protocol', () => {
    const offered = (protocol: 'http1' | 'http2' | 'auto', onlyHttp1 = false) =>
      new TlsClient(tls, protocol, refs).options(undefined, onlyHttp1).ALPNProtocols;
    expect(offered('http2')).toEqual(['h2']);
    expect(offered('auto')).toEqual(['h2', 'http/1.1']);
    expect(offered('auto', true)).toEqual(['http/1.1']);
  });
});

test('a chain is counted to its root, whether certificates between were sent or are believed', () => {
  const lower = root.intermediate('upper').intermediate('lower');
  const [leaf, ...above] = readBundle(lower.client('a.example').certificate);
  if (leaf === undefined) throw new Error('no certificate');
  const believed = readBundle(root.certificate);
  expect(above).toHaveLength(2);
  expect(chainDepth(leaf, [...above, ...believed], 5)).toBe(2);
  expect(chainDepth(leaf, [...above, ...believed], 1)).toBe(2);
  const [direct] = readBundle(pair.certificate);
  expect(direct && chainDepth(direct, believed, 5)).toBe(0);
  const [self] = believed;
  expect(self && chainDepth(self, believed, 5)).toBe(0);
});
