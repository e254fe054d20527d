// Reads the first message of a TLS connection (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) before the TLS library does, so that
// the certificate, and with it the keys of tickets, is chosen before the handshake begins. Pure: bytes in, facts out.
// The library reads the same bytes again and has the last word: a name that it reads otherwise ends the connection.

/** What is asked for. Names are as they came: any ASCII, in either case. */
export interface ClientHello {
  /** Of the extension server_name (RFC 6066 §3); undefined when there is none. */
  readonly serverName: string | undefined;
  /** The first 16 bytes of each ticket that is offered: the name of the key that it was sealed with (RFC 5077 §4). */
  readonly ticketNames: readonly Buffer[];
}

/** `more`: not whole yet. `garbage`: no ClientHello, or one that is larger than any that is meant well. */
export type ClientHelloResult = { readonly kind: 'hello'; readonly hello: ClientHello } | 'more' | 'garbage';

/** Handshake message of a ClientHello; post-quantum key shares make for some 2 KiB. */
const MAX_HELLO_BYTES = 16 * 1024;
/** It may come in several records, but nobody needs as many. */
const MAX_RECORDS = 64;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
const TICKET_NAME_BYTES = 16;
const MAX_TICKETS = 8;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
const HOST_NAME = 0;

/** The most bytes that `readClientHello` may need to come to a verdict. */
export const MAX_CLIENT_HELLO_BYTES =
  MAX_HELLO_BYTES + MESSAGE_HEADER_BYTES + MAX_RECORDS * RECORD_HEADER_BYTES;

/** `bytes` is everything that a client has sent so far. */
export function readClientHello(bytes: Buffer): ClientHelloResult {
  const message = gatherMessage(bytes);
  if (typeof message === 'string') return message;
  try {
    return { kind: 'hello', hello: readBody(message) };
  } catch (error) {
    if (error instanceof CutShort) return 'garbage';
    throw error;
  }
}

/** The body of the first handshake message, put together from its records. */
function gatherMessage(bytes: Buffer): Buffer | 'more' | 'garbage' {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let position = 0;
  for (let records = 0; records < MAX_RECORDS; records++) {
    const record = readRecord(bytes, position);
    if (typeof record === 'string') return record;
    fragments.push(record.fragment);
    gathered += record.fragment.length;
    position += RECORD_HEADER_BYTES + record.fragment.length;
    const message = fragments.length === 1 ? record.fragment : Buffer.concat(fragments, gathered);
    const length = messageLength(message);
    if (length < 0) return 'garbage';
    if (length > 0 && message.length >= length) return message.subarray(MESSAGE_HEADER_BYTES, length);
    // The rest of this record has not come, so there is no next one.
    if (!record.whole) return 'more';
  }
  return 'garbage';
}

function readRecord(bytes: Buffer, at: number): { fragment: Buffer; whole: boolean } | 'more' | 'garbage' {
  const have = bytes.length - at;
  if (have > 0 && bytes[at] !== HANDSHAKE) return 'garbage';
  if (have > 1 && bytes[at + 1] !== 3) return 'garbage';
  if (have < RECORD_HEADER_BYTES) return 'more';
  const length = bytes.readUInt16BE(at + 3);
  if (length === 0 || length > MAX_HELLO_BYTES) return 'garbage';
  const start = at + RECORD_HEADER_BYTES;
  return { fragment: bytes.subarray(start, start + length), whole: bytes.length >= start + length };
}

/** With its header; 0 while that has not come, -1 for another message or one that is too large. */
function messageLength(message: Buffer): number {
  if (message.length > 0 && message[0] !== CLIENT_HELLO) return -1;
  if (message.length < MESSAGE_HEADER_BYTES) return 0;
  const length = message.readUIntBE(1, 3);
  return length === 0 || length > MAX_HELLO_BYTES ? -1 : length + MESSAGE_HEADER_BYTES;
}

function readBody(body: Buffer): ClientHello {
  const reader = new ByteReader(body);
  reader.skip(2 + 32); // legacy_version, random
  reader.vector(1); // legacy_session_id
  reader.vector(2); // cipher_suites
  reader.vector(1); // legacy_compression_methods
  let serverName: string | undefined;
  const tickets: Buffer[] = [];
  if (!reader.isAtEnd) {
    const extensions = reader.vector(2);
    while (!extensions.isAtEnd) {
      const type = extensions.integer(2);
      const value = extensions.vector(2);
      if (type === SERVER_NAME) serverName = readServerName(value);
      else if (type === SESSION_TICKET) noteTicket(tickets, value.rest());
      else if (type === PRE_SHARED_KEY) readIdentities(value, tickets);
    }
  }
  return { serverName, ticketNames: tickets };
}

/** A list of one host name: other types were never defined. */
function readServerName(value: ByteReader): string {
  const names = value.vector(2);
  if (names.integer(1) !== HOST_NAME) throw new CutShort();
  return names.vector(2).rest().toString('latin1');
}

/** RFC 8446 §4.2.11: identities, then binders, which only the library can judge. */
function readIdentities(value: ByteReader, tickets: Buffer[]): void {
  const identities = value.vector(2);
  while (!identities.isAtEnd) {
    noteTicket(tickets, identities.vector(2).rest());
    identities.skip(4); // obfuscated_ticket_age
  }
}

function noteTicket(tickets: Buffer[], ticket: Buffer): void {
  if (ticket.length > TICKET_NAME_BYTES && tickets.length < MAX_TICKETS) {
    tickets.push(ticket.subarray(0, TICKET_NAME_BYTES));
  }
}

class CutShort extends Error {}

/** Reads from the front; throws CutShort where bytes are missing. */
class ByteReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  skip(length: number): void {
    this.#take(length);
  }

  integer(size: number): number {
    return this.#take(size).readUIntBE(0, size);
  }

  /** What follows a length of `size` bytes. */
  vector(size: number): ByteReader {
    return new ByteReader(this.#take(this.integer(size)));
  }

  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#position);
  }

  #take(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw new CutShort();
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }
}
