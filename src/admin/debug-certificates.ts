import { X509Certificate } from 'node:crypto';

import type { RouteTable, TableCertificate } from '../table/route-table.ts';
import { jsonAnswer } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

/** What may be shown of a certificate: nothing of its key but the digest over both. */
interface CertificateView {
  /** `namespace/name` of the Secret. */
  readonly secret: string;
  /** Hosts of the table that it is served for. */
  readonly hosts: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly notAfter: string;
  /** Changes with certificate or key. */
  readonly digest: string;
}

export const debugCertificates: Endpoint = {
  path: '/debug/certificates',
  doc: 'Certificates of the table with their hosts, names and end of validity, never keys; ?secret=namespace/name for one.',
  loopbackOnly: true,
  answer: (query, state) => {
    const table = state.table();
    const wanted = query.get('secret');
    const shown = [...table.certificates.values()].filter(({ id }) => wanted === null || id === wanted);
    const hosts = hostsBySecret(table);
    return jsonAnswer(200, {
      generation: table.generation,
      certificates: shown.map((entry) => view(entry, hosts.get(entry.id) ?? [])),
    });
  },
};

function hostsBySecret({ hosts }: RouteTable): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { id, certificate } of hosts.values()) {
    if (certificate !== undefined) found.getOrInsert(certificate, []).push(id);
  }
  return found;
}

function view({ id, digest, certificate }: TableCertificate, hosts: readonly string[]): CertificateView {
  // The leaf comes first; the table holds none that cannot be read.
  const leaf = new X509Certificate(certificate);
  return {
    secret: id,
    hosts: hosts.toSorted(),
    subject: leaf.subject,
    issuer: leaf.issuer,
    names: leaf.subjectAltName?.split(', ') ?? [],
    notAfter: new Date(leaf.validTo).toISOString(),
    digest,
  };
}
