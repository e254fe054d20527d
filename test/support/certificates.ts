import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { createCertificate } from '../../src/util/create-certificate.ts';

export interface TestPair {
  readonly certificate: string;
  readonly key: string;
}

export interface TestPairOptions {
  readonly type?: 'ec' | 'rsa';
  /** Makes a root that signs it, and puts that behind it. */
  readonly chained?: boolean;
}

/** A certificate with its key, made anew: valid from yesterday for ten days. */
export function testPair(names: readonly string[], options: TestPairOptions = {}): TestPair {
  const pair = keyPair(options.type ?? 'ec');
  const root = options.chained === true ? keyPair('ec') : undefined;
  const subject = { commonName: names[0] ?? 'none' };
  const rootName = { commonName: 'test root' };
  const common = {
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 10 * 86_400_000),
    serial: randomBytes(16),
  };
  const leaf = createCertificate({
    ...common,
    subject,
    issuer: root === undefined ? subject : rootName,
    publicKey: pair.publicKey,
    signingKey: (root ?? pair).privateKey,
    names,
  });
  const above =
    root === undefined
      ? ''
      : createCertificate({
          ...common,
          subject: rootName,
          issuer: rootName,
          publicKey: root.publicKey,
          signingKey: root.privateKey,
          names: [],
          isAuthority: true,
        });
  return {
    certificate: leaf + above,
    key: String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function keyPair(type: 'ec' | 'rsa') {
  return type === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}
