import { X509Certificate } from 'node:crypto';

/** The labels that the TLS library reads certificates under. */
const block =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** The PEM text of each certificate of a bundle, readable or not. */
export function certificateBlocks(pem: string): readonly string[] {
  return [...pem.matchAll(block)].map(([text]) => text);
}

/** The certificates of a PEM bundle; those that cannot be read are left out, as the TLS library leaves them out. */
export function readBundle(pem: string): readonly X509Certificate[] {
  const found: X509Certificate[] = [];
  for (const text of certificateBlocks(pem)) {
    try {
      found.push(new X509Certificate(text));
    } catch {
      continue;
    }
  }
  return found;
}

/** Whether the one names the other as its issuer, may have one, and bears its signature. */
export function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
