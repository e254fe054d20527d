import { fieldLine } from '../http1/message-writer.ts';
import type { ProxyRequest } from './proxy-request.ts';
import type { ClaimedFields, FieldPolicy } from './request-fields.ts';

/** A request that has passed this many of our own kind is in a loop. */
export const MAX_HOPS = 10;

/**
 * The fields that tell the upstream where a request came from (ingress-nginx's set). Most requests of a connection differ
 * in their id alone, so the rest is kept as text.
 */
export class ForwardingFields {
  readonly #peer: string;
  readonly #policy: FieldPolicy;
  #text = '';
  #authority = '';
  #client = '';

  constructor(peer: string, policy: FieldPolicy) {
    this.#peer = peer;
    this.#policy = policy;
  }

  /** Field lines for a request that no filter will change. */
  text(request: ProxyRequest, claims: ClaimedFields | undefined): string {
    const id = `X-Request-ID: ${request.requestId}\r\n`;
    if (claims !== undefined) return id + this.#lines(request, claims);
    if (
      request.authority !== this.#authority ||
      request.clientAddress !== this.#client ||
      this.#text === ''
    ) {
      this.#authority = request.authority;
      this.#client = request.clientAddress;
      this.#text = this.#lines(request, undefined);
    }
    return id + this.#text;
  }

  /** Adds the fields to the request's own, for filters to see and change. */
  addTo(request: ProxyRequest, claims: ClaimedFields | undefined): void {
    request.headers.append('X-Request-ID', request.requestId);
    for (const [name, value] of this.#fields(request, claims)) request.headers.append(name, value);
  }

  #lines(request: ProxyRequest, claims: ClaimedFields | undefined): string {
    let text = '';
    for (const [name, value] of this.#fields(request, claims)) text += fieldLine(name, value);
    // A string built by concatenation is flattened anew wherever it is used: this one is used often.
    return Buffer.from(text, 'latin1').toString('latin1');
  }

  #fields(request: ProxyRequest, claims: ClaimedFields | undefined): [name: string, value: string][] {
    const { scheme, clientAddress } = request;
    const proto = claims?.forwardedProto ?? scheme;
    const fields: [string, string][] = [
      ['X-Real-IP', clientAddress],
      ['X-Forwarded-For', this.#forwardedFor(clientAddress, claims)],
      ['X-Forwarded-Host', claims?.forwardedHost ?? request.authority],
      ['X-Forwarded-Port', claims?.forwardedPort ?? String(request.port)],
      ['X-Forwarded-Proto', proto],
      ['X-Forwarded-Scheme', proto],
      ['X-Scheme', scheme],
      ['X-Sallyport-Hops', String((claims?.hops ?? 0) + 1)],
    ];
    if (claims === undefined) return fields;
    if (claims.forwardedFor.length > 0)
      fields.push(['X-Original-Forwarded-For', claims.forwardedFor.join(', ')]);
    if (claims.trailersAccepted) fields.push(['TE', 'trailers']);
    return fields;
  }

  #forwardedFor(client: string, claims: ClaimedFields | undefined): string {
    const { appendForwardedFor, trusted } = this.#policy;
    if (claims === undefined || claims.forwardedFor.length === 0) return client;
    if (!appendForwardedFor || !trusted.trusts(this.#peer)) return client;
    return `${claims.forwardedFor.join(', ')}, ${this.#peer}`;
  }
}
