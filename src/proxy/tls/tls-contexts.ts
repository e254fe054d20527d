import type { X509Certificate } from 'node:crypto';
import { constants, createHash, hkdfSync } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

import type { TableAuthority } from '../../table/route-table.ts';
import { readBundle } from '../../util/certificate-bundle.ts';
import type { CertificatePair, TlsSettings } from './tls-settings.ts';

/** Name, HMAC key and AES key of RFC 5077 §4, 16 bytes each: the form that the TLS library takes. */
const TICKET_KEY_BYTES = 48;
const TICKET_NAME_BYTES = 16;
/** The library takes up to 32 bytes. */
const SESSION_CONTEXT_CHARACTERS = 32;

const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE;

/** Writes a line to the log of the process. */
type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** The ticket key of one secret, with the context that uses it. */
interface Sealed {
  readonly key: Buffer;
  context: SecureContext | undefined;
}

/** Handshakes with one certificate that believe one authority, or ask for nothing. */
interface Kind {
  readonly pair: CertificatePair;
  readonly authority: TableAuthority | undefined;
  readonly sealed: Map<Uint8Array, Sealed>;
  /** Without tickets. */
  plain: SecureContext | undefined;
}

/** An authority as it is used here. */
interface Believed {
  readonly certificates: readonly X509Certificate[];
  /** Its sessions cannot be resumed. */
  fullOnly: boolean;
}

/**
 * What handshakes are done with. A context is made at the first handshake that needs it and kept as long as a table, or a
 * connection, has its certificate and the authority that clients are held to: by identity, which the linker keeps for
 * entries whose digest stays.
 * A ticket key belongs to one secret, one certificate and one authority: a ticket never resumes what was authenticated with
 * another one, in either direction.
 * Since the library takes one key a context, each secret has a context of its own, and the name of the key that a client's
 * ticket was sealed with chooses among them. What a resumed connection is given is sealed with the same key again.
 */
export class TlsContexts {
  readonly #settings: TlsSettings;
  #secrets: readonly Uint8Array[];
  readonly #kinds = new WeakMap<CertificatePair, Kind>();
  readonly #askingKinds = new WeakMap<CertificatePair, WeakMap<TableAuthority, Kind>>();
  readonly #believed = new WeakMap<TableAuthority, Believed>();
  readonly #unusable = new WeakSet<CertificatePair | TableAuthority>();
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
    const { fallback } = this.#settings;
    if (pair === undefined) return this.#contextOf(this.#kindOf(fallback), ticketNames);
    return (
      this.#attempt(pair, 'certificate not usable, the default one is served', () =>
        this.#contextOf(this.#kindOf(pair), ticketNames),
      ) ?? this.#contextOf(this.#kindOf(fallback), ticketNames)
    );
  }

  /**
   * The same, asking the client for a certificate. Undefined, with a warning once, for an authority that the library does
   * not take: then nobody can be asked.
   */
  chooseAsking(
    pair: CertificatePair | undefined,
    authority: TableAuthority,
    ticketNames: readonly Buffer[],
  ): SecureContext | undefined {
    // Finds out first whether the certificate is to blame.
    this.choose(pair, []);
    const served = pair !== undefined && !this.#unusable.has(pair) ? pair : this.#settings.fallback;
    return this.#attempt(authority, 'authority of client certificates not usable, nobody is let in', () =>
      this.#contextOf(this.#askingKindOf(served, authority), ticketNames),
    );
  }

  /** The certificates of an authority, read once. */
  certificatesOf(authority: TableAuthority): readonly X509Certificate[] {
    return this.#believe(authority).certificates;
  }

  /** From now on every connection under this authority is a handshake of its own. */
  resumeNoMore(authority: TableAuthority): void {
    this.#believe(authority).fullOnly = true;
  }

  #attempt<T>(what: CertificatePair | TableAuthority, message: string, make: () => T): T | undefined {
    if (this.#unusable.has(what)) return undefined;
    try {
      return make();
    } catch (error) {
      this.#unusable.add(what);
      this.#warn(message, { secret: what.id, reason: (error as NodeJS.ErrnoException).code ?? 'unknown' });
      return undefined;
    }
  }

  #kindOf(pair: CertificatePair): Kind {
    let kind = this.#kinds.get(pair);
    if (kind === undefined) this.#kinds.set(pair, (kind = createKind(pair, undefined)));
    return kind;
  }

  #askingKindOf(pair: CertificatePair, authority: TableAuthority): Kind {
    let kinds = this.#askingKinds.get(pair);
    if (kinds === undefined) this.#askingKinds.set(pair, (kinds = new WeakMap<TableAuthority, Kind>()));
    let kind = kinds.get(authority);
    if (kind === undefined) kinds.set(authority, (kind = createKind(pair, authority)));
    return kind;
  }

  #believe(authority: TableAuthority): Believed {
    let believed = this.#believed.get(authority);
    if (believed === undefined) {
      believed = { certificates: readBundle(authority.ca), fullOnly: false };
      this.#believed.set(authority, believed);
    }
    return believed;
  }

  #contextOf(kind: Kind, ticketNames: readonly Buffer[]): SecureContext {
    if (kind.authority !== undefined && this.#believe(kind.authority).fullOnly)
      return (kind.plain ??= this.#createContext(kind, undefined));
    const sealed = this.#sealedFor(kind, ticketNames);
    sealed.context ??= this.#createContext(kind, sealed.key);
    return sealed.context;
  }

  #sealedFor({ pair, authority, sealed: known }: Kind, ticketNames: readonly Buffer[]): Sealed {
    for (const secret of known.keys()) if (!this.#secrets.includes(secret)) known.delete(secret);
    let newest: Sealed | undefined;
    for (const secret of this.#secrets) {
      let sealed = known.get(secret);
      if (sealed === undefined)
        known.set(secret, (sealed = { key: ticketKey(secret, pair, authority), context: undefined }));
      const name = sealed.key.subarray(0, TICKET_NAME_BYTES);
      if (ticketNames.some((offered) => offered.equals(name))) return sealed;
      newest ??= sealed;
    }
    if (newest === undefined) throw new Error('there is no ticket secret');
    return newest;
  }

  #createContext({ pair, authority }: Kind, ticketKeys: Buffer | undefined): SecureContext {
    const { minVersion, maxVersion, ciphers, ecdhCurve, ticketLifetimeSeconds } = this.#settings;
    return createSecureContext({
      cert: pair.certificate,
      key: pair.key,
      // Where clients are not asked: without a word about it, every context would hold the public roots.
      ca: authority === undefined ? [] : authority.ca,
      ...(authority?.crl === undefined ? {} : { crl: authority.crl }),
      ...(authority === undefined ? {} : { sessionIdContext: sessionContext(pair, authority) }),
      minVersion,
      maxVersion,
      ciphers,
      ecdhCurve,
      ...(ticketKeys === undefined ? {} : { ticketKeys }),
      sessionTimeout: ticketLifetimeSeconds,
      secureOptions: SECURE_OPTIONS | (ticketKeys === undefined ? constants.SSL_OP_NO_TICKET : 0),
    });
  }
}

function createKind(pair: CertificatePair, authority: TableAuthority | undefined): Kind {
  return { pair, authority, sealed: new Map<Uint8Array, Sealed>(), plain: undefined };
}

/** HKDF (RFC 5869), so that knowing the key of one certificate says nothing about another's. */
function ticketKey(secret: Uint8Array, pair: CertificatePair, authority: TableAuthority | undefined): Buffer {
  const purpose = `sallyport session ticket\n${identityOf(pair, authority)}`;
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, TICKET_KEY_BYTES));
}

/** What the library, which wants one where certificates are asked for, compares when it resumes a session. */
function sessionContext(pair: CertificatePair, authority: TableAuthority): string {
  const digest = createHash('sha256').update(identityOf(pair, authority)).digest('hex');
  return digest.slice(0, SESSION_CONTEXT_CHARACTERS);
}

function identityOf(pair: CertificatePair, authority: TableAuthority | undefined): string {
  const served = `${pair.id}\n${pair.digest}`;
  return authority === undefined ? served : `${served}\nclients\n${authority.id}\n${authority.digest}`;
}
