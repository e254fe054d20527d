import { errorCodes } from './error-codes.ts';
import type { ErrorCodeName } from './error-codes.ts';
import { handshakeBuckets, handshakeFailures, handshakeKinds } from './handshake-cells.ts';
import { cellFamilies, seriesOf } from './protocol-cells.ts';
import type { CellFamilyName } from './protocol-cells.ts';

/** Cells of one worker's counters that belong to no route. Gauges come first: they are set back when a worker starts. */
const gauges = [
  'connectionsActive',
  'requestsActive',
  'tunnelsActive',
  'connectTunnelsActive',
  'http2ClientSessions',
  'http2ClientStreams',
  'http2UpstreamSessions',
  'http2UpstreamStreams',
  'upstreamActive',
  'generation',
  'linkSecondsLast',
  'loopDelayP50Seconds',
  'loopDelayP99Seconds',
  'loopDelayMaxSeconds',
  'loopUtilizationRatio',
  'heapUsedBytes',
] as const;

const totals = [
  'connectionsTotal',
  'requestsTotal',
  'tunnelsTotal',
  'connectTunnelsTotal',
  'http2ClientSessionsTotal',
  'http2ClientStreamsTotal',
  'http2UpstreamSessionsTotal',
  'http2UpstreamStreamsTotal',
  'upstreamOpened',
  'upstreamReused',
  'logLinesDropped',
  'linksTotal',
  'linkSecondsTotal',
] as const;

/** Garbage collections by kind, as performance entries name them. */
export const gcKinds = ['minor', 'major', 'incremental', 'weakcb'] as const;
export type GcKind = (typeof gcKinds)[number];

export type CounterName = (typeof gauges)[number] | (typeof totals)[number];

export const gaugeCells = gauges.length;

const names: readonly CounterName[] = [...gauges, ...totals];

export const counterCells = Object.fromEntries(names.map((name, cell) => [name, cell])) as Readonly<
  Record<CounterName, number>
>;

/** Two cells a kind: seconds, count. */
export const gcCells: ReadonlyMap<GcKind, number> = new Map(
  gcKinds.map((kind, place) => [kind, names.length + 2 * place]),
);

export const errorNames = Object.keys(errorCodes) as readonly ErrorCodeName[];

const errorsStart = names.length + 2 * gcKinds.length;

/** One cell a code, in the order of `errorCodes`. */
export const errorCells: ReadonlyMap<ErrorCodeName, number> = new Map(
  errorNames.map((name, place) => [name, errorsStart + place]),
);

/** Where cells about handshakes begin: one a kind, one a failure, then a histogram: one a bucket, one beyond, the sum. */
export const handshakeCells = {
  kinds: errorsStart + errorNames.length,
  failures: errorsStart + errorNames.length + handshakeKinds.length,
  buckets: errorsStart + errorNames.length + handshakeKinds.length + handshakeFailures.length,
  secondsSum:
    errorsStart +
    errorNames.length +
    handshakeKinds.length +
    handshakeFailures.length +
    handshakeBuckets.length +
    1,
} as const;

const familyNames = Object.keys(cellFamilies) as readonly CellFamilyName[];

const familySizes = familyNames.map((name) => seriesOf(cellFamilies[name]).length);

const familiesStart = handshakeCells.secondsSum + 1;

/** Where the cells of each family begin; they are in the order of `seriesOf`. */
export const familyStarts = Object.fromEntries(
  familyNames.map((name, place) => [
    name,
    familySizes.slice(0, place).reduce((sum, size) => sum + size, familiesStart),
  ]),
) as Readonly<Record<CellFamilyName, number>>;

export const counterBytes =
  familySizes.reduce((sum, size) => sum + size, familiesStart) * Float64Array.BYTES_PER_ELEMENT;
