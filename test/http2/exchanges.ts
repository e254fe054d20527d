import { createHash } from 'node:crypto';

import fc from 'fast-check';

import { defaultLimits } from '../../src/http2/limits.ts';
import type { Http2Limits } from '../../src/http2/limits.ts';

// Random exchanges over one connection, each echoed by whoever answers: the same for both roles.

/** One request. The answer repeats its fields, body and trailers. */
export interface Exchange {
  readonly method: 'POST' | 'PUT' | 'GET';
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Lengths of the pieces that the body is written in. */
  readonly pieces: readonly number[];
  readonly trailers: Readonly<Record<string, string>>;
  readonly hints: boolean;
}

/** What an answer brought. */
export interface Answer {
  readonly status: number;
  readonly hints: number;
  readonly fields: Readonly<Record<string, string>>;
  /** Length and digest. */
  readonly body: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/** The conditions of one connection. */
export interface Line {
  readonly exchanges: readonly Exchange[];
  /** Windows of our side, and of the peer. */
  readonly limits: Http2Limits;
  readonly peerWindowBytes: number;
  readonly peerTableBytes: number;
  /** Longest piece in which our side is given its input. */
  readonly longestPiece: number;
}

const value = fc.stringMatching(/^[!-~]{1,40}$/);
const name = fc.stringMatching(/^x-[a-z0-9_-]{1,12}$/);
const fields = fc.dictionary(name, value, { maxKeys: 8, noNullPrototype: true });

const exchange: fc.Arbitrary<Exchange> = fc.record({
  method: fc.constantFrom('POST', 'PUT', 'GET'),
  path: fc.stringMatching(/^\/[a-z0-9/]{0,20}(\?[a-z=&]{0,10})?$/),
  fields,
  pieces: fc.array(fc.oneof(fc.nat(50), fc.nat(2000), fc.nat(20_000)), { maxLength: 3 }),
  trailers: fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }),
  hints: fc.boolean(),
});

export const line: fc.Arbitrary<Line> = fc
  .record({
    exchanges: fc.array(exchange, { minLength: 15, maxLength: 40, size: 'max' }),
    streamWindowBytes: fc.oneof(
      fc.integer({ min: 500, max: 3000 }),
      fc.constant(65_535),
      fc.constant(262_144),
    ),
    connectionWindowBytes: fc.constantFrom(65_535, 200_000, 1_048_576),
    peerWindowBytes: fc.oneof(
      fc.integer({ min: 500, max: 3000 }),
      fc.constant(65_535),
      fc.constant(1_000_000),
    ),
    peerTableBytes: fc.constantFrom(0, 100, 4096, 65_536),
    longestPiece: fc.constantFrom(7, 100, 5000, 100_000),
  })
  .map(({ streamWindowBytes, connectionWindowBytes, ...rest }) => ({
    ...rest,
    limits: { ...defaultLimits, streamWindowBytes, connectionWindowBytes, budgets: lenient },
  }));

/** Tiny windows cost frames: it is not what this looks at. */
const many = 10 ** 6;
const lenient = { ...defaultLimits.budgets, ping: many, windowUpdate: many, glitch: many };

/** The body of an exchange: bytes that tell their place. */
export function bodyOf({ pieces }: Exchange, index: number): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece, 0);
  const body = Buffer.alloc(length);
  for (let at = 0; at < length; at++) body[at] = (at * 7 + (at >>> 8) * 13 + index) & 0xff;
  return body;
}

/** To compare bodies by. */
export function digestOf(body: Buffer): string {
  return `${body.length} ${createHash('sha256').update(body).digest('hex')}`;
}

/** What the answer to an exchange has to be. */
export function echoOf(exchange: Exchange, index: number): Answer {
  return {
    status: 200,
    hints: exchange.hints ? 1 : 0,
    fields: { ...exchange.fields, 'x-method': exchange.method, 'x-path': exchange.path },
    body: digestOf(bodyOf(exchange, index)),
    trailers: exchange.trailers,
  };
}

/** Fields whose names begin with `x-`. */
export function ownFields(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([key]) => key.startsWith('x-'))
      .map(([key, given]) => [key, String(given)]),
  );
}
