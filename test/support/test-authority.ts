import { X509Certificate, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { createCertificate } from '../../src/util/create-certificate.ts';
import type { CertificateFields, CertificatePurpose } from '../../src/util/create-certificate.ts';
import { SEQUENCE, element, integer, serialNumber, time } from '../../src/util/der.ts';
import { distinguishedName, signatureAlgorithm, signedPem } from '../../src/util/signed-pem.ts';
import type { DistinguishedName } from '../../src/util/signed-pem.ts';
import type { TestPair } from './certificates.ts';

const DAY_MS = 86_400_000;

/** A certificate of a client; what is left out is as it should be. */
export interface TestClientOptions {
  readonly organization?: string;
  /** Default: clients. Empty: no word about it. */
  readonly purposes?: readonly CertificatePurpose[];
  readonly names?: readonly string[];
  /** Default: from yesterday for ten days. */
  readonly validFrom?: Date;
  readonly validTo?: Date;
  readonly serial?: Uint8Array;
}

/** Moments for certificates that are not valid now. */
export const expired = { validFrom: daysFromNow(-10), validTo: daysFromNow(-1) } as const;
export const notYetValid = { validFrom: daysFromNow(1), validTo: daysFromNow(10) } as const;

/** Signs certificates and lists of revoked ones, for tests. Everything is made anew (P-256). */
export class TestAuthority {
  /** PEM, this authority alone. */
  readonly certificate: string;
  /** PEM of what goes behind its clients' certificates: itself and those above, but the root. */
  readonly chain: string;
  readonly #name: DistinguishedName;
  readonly #key: KeyObject;

  private constructor(
    commonName: string,
    issuer: TestAuthority | undefined,
    options: Partial<typeof expired> = {},
  ) {
    const { publicKey, privateKey } = keyPair();
    this.#name = { commonName };
    this.#key = privateKey;
    const signer = issuer ?? this;
    this.certificate = createCertificate({
      ...validity(options),
      subject: this.#name,
      issuer: signer.#name,
      publicKey,
      signingKey: signer.#key,
      names: [],
      isAuthority: true,
    });
    this.chain = issuer === undefined ? '' : this.certificate + issuer.chain;
  }

  static root(commonName = 'test authority', options: Partial<typeof expired> = {}): TestAuthority {
    return new TestAuthority(commonName, undefined, options);
  }

  /** One that this one has signed. */
  intermediate(commonName = 'test intermediate'): TestAuthority {
    return new TestAuthority(commonName, this);
  }

  /** A client's certificate with its key; the certificate has the chain behind it. */
  client(commonName = 'client', options: TestClientOptions = {}): TestPair {
    const { publicKey, privateKey } = keyPair();
    const { organization, purposes = ['client'], names = [] } = options;
    const leaf = createCertificate({
      ...validity(options),
      subject: organization === undefined ? { commonName } : { organization, commonName },
      issuer: this.#name,
      publicKey,
      signingKey: this.#key,
      names,
      purposes,
    });
    return {
      certificate: leaf + this.chain,
      key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    };
  }

  /** PEM of a list (RFC 5280 §5) that revokes these clients, the first certificate of each. */
  revoke(clients: readonly TestPair[], options: TestClientOptions = {}): string {
    const { notBefore, notAfter } = validity(options);
    const revoked = clients.map(({ certificate }) =>
      element(
        SEQUENCE,
        serialNumber(Buffer.from(new X509Certificate(certificate).serialNumber, 'hex')),
        time(notBefore),
      ),
    );
    const body = element(
      SEQUENCE,
      integer(1), // version 2
      signatureAlgorithm(this.#key),
      distinguishedName(this.#name),
      time(notBefore),
      time(notAfter),
      ...(revoked.length > 0 ? [element(SEQUENCE, ...revoked)] : []),
    );
    return signedPem('X509 CRL', body, this.#key);
  }
}

function validity({
  validFrom = daysFromNow(-1),
  validTo = daysFromNow(10),
  serial = randomBytes(16),
}: TestClientOptions): Pick<CertificateFields, 'notBefore' | 'notAfter' | 'serial'> {
  return { notBefore: validFrom, notAfter: validTo, serial };
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

function keyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}
