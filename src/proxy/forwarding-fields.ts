import { fieldLine } from '../http1/message-writer.ts';
import type { ProxyRequest } from './proxy-request.ts';
import type { ClaimedFields, FieldPolicy } from './request-fields.ts';

/** A request that has passed this many of our own kind is in a loop. */
export const MAX_HOPS = 10;

interface Field {
  readonly name: string;
  readonly lower: string;
  readonly value: string;
}

/**
 * The fields that tell the upstream where a request came from (ingress-nginx's set). Most requests of a connection differ
 * in their id alone, so the rest is kept, as a list and as text.
 */
export class ForwardingFields {
  readonly #peer: string;
  readonly #policy: FieldPolicy;
  /** For requests of this authority and client that claim nothing. The text is made when it is asked for. */
  #usual: readonly Field[] | undefined;
  #text: string | undefined;
  #authority = '';
  #client = '';

  constructor(peer: string, policy: FieldPolicy) {
    this.#peer = peer;
    this.#policy = policy;
  }

  /** Field lines for a request that no filter will change. */
  text(request: ProxyRequest, claims: ClaimedFields | undefined): string {
    const id = `X-Request-ID: ${request.requestId}\r\n`;
    const fields = this.#fields(request, claims);
    const lines = fields === this.#usual ? (this.#text ??= linesOf(fields)) : linesOf(fields);
    return claims?.trailersAccepted === true ? `${id}${lines}TE: trailers\r\n` : id + lines;
  }

  /** Adds the fields to the request's own, for filters to see and change. */
  addTo(request: ProxyRequest, claims: ClaimedFields | undefined): void {
    const { headers } = request;
    headers.push('X-Request-ID', 'x-request-id', request.requestId);
    for (const { name, lower, value } of this.#fields(request, claims)) headers.push(name, lower, value);
    if (claims?.trailersAccepted === true) headers.push('TE', 'te', 'trailers');
  }

  /** Without the id, and what is said of trailers. */
  #fields(request: ProxyRequest, claims: ClaimedFields | undefined): readonly Field[] {
    if (claims !== undefined && saysMore(claims)) return this.#list(request, claims);
    const { authority, clientAddress } = request;
    if (this.#usual === undefined || authority !== this.#authority || clientAddress !== this.#client) {
      this.#authority = authority;
      this.#client = clientAddress;
      this.#usual = this.#list(request, undefined);
      this.#text = undefined;
    }
    return this.#usual;
  }

  #list(request: ProxyRequest, claims: ClaimedFields | undefined): readonly Field[] {
    const { scheme, clientAddress } = request;
    const proto = claims?.forwardedProto ?? scheme;
    const fields = [
      field('X-Real-IP', clientAddress),
      field('X-Forwarded-For', this.#forwardedFor(clientAddress, claims)),
      field('X-Forwarded-Host', claims?.forwardedHost ?? request.authority),
      field('X-Forwarded-Port', claims?.forwardedPort ?? String(request.port)),
      field('X-Forwarded-Proto', proto),
      field('X-Forwarded-Scheme', proto),
      field('X-Scheme', scheme),
      field('X-Sallyport-Hops', String((claims?.hops ?? 0) + 1)),
    ];
    if (claims !== undefined && claims.forwardedFor.length > 0)
      fields.push(field('X-Original-Forwarded-For', claims.forwardedFor.join(', ')));
    return fields;
  }

  #forwardedFor(client: string, claims: ClaimedFields | undefined): string {
    const { appendForwardedFor, trusted } = this.#policy;
    if (claims === undefined || claims.forwardedFor.length === 0) return client;
    if (!appendForwardedFor || !trusted.trusts(this.#peer)) return client;
    return `${claims.forwardedFor.join(', ')}, ${this.#peer}`;
  }
}

function field(name: string, value: string): Field {
  return { name, lower: name.toLowerCase(), value };
}

function linesOf(fields: readonly Field[]): string {
  let text = '';
  for (const { name, value } of fields) text += fieldLine(name, value);
  // A string built by concatenation is flattened anew wherever it is used: this one is used often.
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Whether anything is claimed but that trailers are accepted, as every call of gRPC says. */
function saysMore({
  forwardedFor,
  forwardedHost,
  forwardedPort,
  forwardedProto,
  hops,
}: ClaimedFields): boolean {
  if (forwardedFor.length > 0 || hops > 0) return true;
  return forwardedHost !== undefined || forwardedPort !== undefined || forwardedProto !== undefined;
}
