import { errorCodes } from './error-codes.ts';
import type { ErrorCodeName } from './error-codes.ts';
import { handshakeBuckets, handshakeFailures, handshakeKinds } from './handshake-cells.ts';

/** Cells of one worker's counters that belong to no route. Gauges come first: they are set back when a worker starts. */
const gauges = [
  'connectionsActive',
  'requestsActive',
  'tunnelsActive',
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

export const counterBytes = (handshakeCells.secondsSum + 1) * Float64Array.BYTES_PER_ELEMENT;
