import { constants, hkdfSync } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

import type { CertificatePair, TlsSettings } from './tls-settings.ts';

/** Name, HMAC key and AES key of RFC 5077 §4, 16 bytes each: the form that the TLS library takes. */
const TICKET_KEY_BYTES = 48;
const TICKET_NAME_BYTES = 16;

/** Writes a line to the log of the process. */
type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** One certificate with the ticket key of one secret. */
interface Sealed {
  readonly key: Buffer;
  context: SecureContext | undefined;
}

/**
 * What handshakes are done with. A context is made at the first handshake that needs it and kept as long as a table, or a
 * connection, has its certificate: by identity, which the linker keeps for entries whose digest stays.
 * A ticket key belongs to one secret and one certificate: a ticket never resumes what was authenticated with another one.
 * Since the library takes one key a context, each secret has a context of its own, and the name of the key that a client's
 * ticket was sealed with chooses among them. What a resumed connection is given is sealed with the same key again.
 */
export class TlsContexts {
  readonly #settings: TlsSettings;
  #secrets: readonly Uint8Array[];
  readonly #known = new WeakMap<CertificatePair, Map<Uint8Array, Sealed>>();
  readonly #unusable = new WeakSet<CertificatePair>();
  readonly #warn: Warn;

  constructor(settings: TlsSettings, warn: Warn) {
    this.#settings = settings;
    this.#secrets = settings.ticketSecrets;
    this.#warn = warn;
  }

  /** The newest first. What was sealed with a secret that is no longer among them opens no more. */
  set ticketSecrets(secrets: readonly Uint8Array[]) {
    // They come as copies: those that stay keep their identity, and with it their contexts.
    this.#secrets = secrets.map(
      (secret) => this.#secrets.find((known) => Buffer.compare(known, secret) === 0) ?? secret,
    );
  }

  /**
   * The context for a certificate of the table, for the key that one of the tickets was sealed with if it is known, else
   * for the newest. A certificate that the library does not take gives way to the fallback, with a warning once.
   */
  choose(pair: CertificatePair | undefined, ticketNames: readonly Buffer[]): SecureContext {
    if (pair !== undefined && !this.#unusable.has(pair)) {
      try {
        return this.#contextOf(pair, ticketNames);
      } catch (error) {
        this.#unusable.add(pair);
        this.#warn('certificate not usable, the default one is served', {
          secret: pair.id,
          reason: (error as NodeJS.ErrnoException).code ?? 'unknown',
        });
      }
    }
    return this.#contextOf(this.#settings.fallback, ticketNames);
  }

  #contextOf(pair: CertificatePair, ticketNames: readonly Buffer[]): SecureContext {
    const sealed = this.#sealedFor(pair, ticketNames);
    sealed.context ??= this.#createContext(pair, sealed.key);
    return sealed.context;
  }

  #sealedFor(pair: CertificatePair, ticketNames: readonly Buffer[]): Sealed {
    let known = this.#known.get(pair);
    if (known === undefined) this.#known.set(pair, (known = new Map<Uint8Array, Sealed>()));
    for (const secret of known.keys()) if (!this.#secrets.includes(secret)) known.delete(secret);
    let newest: Sealed | undefined;
    for (const secret of this.#secrets) {
      let sealed = known.get(secret);
      if (sealed === undefined)
        known.set(secret, (sealed = { key: ticketKey(secret, pair), context: undefined }));
      const name = sealed.key.subarray(0, TICKET_NAME_BYTES);
      if (ticketNames.some((offered) => offered.equals(name))) return sealed;
      newest ??= sealed;
    }
    if (newest === undefined) throw new Error('there is no ticket secret');
    return newest;
  }

  #createContext({ certificate, key }: CertificatePair, ticketKeys: Buffer): SecureContext {
    const { minVersion, maxVersion, ciphers, ecdhCurve, ticketLifetimeSeconds } = this.#settings;
    return createSecureContext({
      cert: certificate,
      key,
      // Clients' certificates are not asked for: without this, every context would hold the public roots.
      ca: [],
      minVersion,
      maxVersion,
      ciphers,
      ecdhCurve,
      ticketKeys,
      sessionTimeout: ticketLifetimeSeconds,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
    });
  }
}

/** HKDF (RFC 5869), so that knowing the key of one certificate says nothing about another's. */
function ticketKey(secret: Uint8Array, { id, digest }: CertificatePair): Buffer {
  const purpose = `sallyport session ticket\n${id}\n${digest}`;
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, TICKET_KEY_BYTES));
}
