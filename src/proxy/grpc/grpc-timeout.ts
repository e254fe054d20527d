/** Milliseconds in a unit of grpc-timeout. */
const unitMs: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1_000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
]);

const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;

/**
 * A value of grpc-timeout (gRPC over HTTP/2, "Timeout"): 1 to 8 digits and a unit. Returns whole milliseconds, at least 1
 * since 0 means no limit elsewhere; undefined for anything else, which servers of gRPC refuse.
 */
export function parseGrpcTimeout(value: string): number | undefined {
  const [, digits = '', unit = ''] = TIMEOUT.exec(value) ?? [];
  const scale = unitMs.get(unit);
  return scale === undefined ? undefined : Math.max(1, Math.ceil(Number(digits) * scale));
}
