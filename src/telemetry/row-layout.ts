/** Request methods that have a cell of their own; the last one is every other method. */
export const methodLabels = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'other'] as const;

export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Status codes that have a cell of their own; any other is counted in its class (`4xx`), the last five entries. */
export const statusLabels = [
  '101',
  '200',
  '201',
  '202',
  '204',
  '206',
  '301',
  '302',
  '303',
  '304',
  '307',
  '308',
  '400',
  '401',
  '403',
  '404',
  '405',
  '408',
  '409',
  '410',
  '412',
  '413',
  '414',
  '415',
  '416',
  '422',
  '429',
  '431',
  '499',
  '500',
  '501',
  '502',
  '503',
  '504',
  '505',
  '508',
  ...statusClasses,
] as const;

/** Upper bounds of latency histograms in seconds; a last bucket without bound follows. */
export const latencyBucketsSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Cells of a histogram: one count a bucket (not cumulative), the bucket without bound, the sum in seconds. */
const histogramCells = latencyBucketsSeconds.length + 2;

const statuses = methodLabels.length * statusClasses.length;
const duration = statuses + statusLabels.length;
const upstream = duration + histogramCells;
const requestBytes = upstream + histogramCells;

/** Offsets of the cells within a row. Requests are counted by method × status class and again by status. */
export const rowCells = {
  requests: 0,
  statuses,
  duration,
  upstream,
  requestBytes,
  responseBytes: requestBytes + 1,
  retries: requestBytes + 2,
} as const;

/** Whole cache lines of eight cells, so that no two rows share one. */
export const cellsPerRow = Math.ceil((rowCells.retries + 1) / 8) * 8;

export const rowsPerSegment = 1024;

export const segmentBytes = rowsPerSegment * cellsPerRow * Float64Array.BYTES_PER_ELEMENT;

/** Requests that no route takes. */
export const noRouteRow = 0;
/**
 * Shared by all routes beyond the cap: as many rows as a route may have backends, because a route's rows are told to
 * workers as the first of consecutive ones.
 */
export const otherRow = 1;
export const otherRows = 16;
/** The first row that belongs to a route. */
export const firstRouteRow = otherRow + otherRows;
