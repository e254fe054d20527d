/** What an election needs of a coordination.k8s.io/v1 Lease. */
export interface LeaseRecord {
  /** '' when nobody holds it. */
  readonly holder: string;
  /** undefined when the Lease has none, or one that makes no sense. */
  readonly durationMs: number | undefined;
  /** `.spec` as JSON: two that are equal are one and the same hold. */
  readonly spec: string;
  readonly acquireTime: string | undefined;
  readonly transitions: number;
  /** With its resourceVersion. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How somebody wants to hold it. */
export interface Hold {
  readonly identity: string;
  readonly durationMs: number;
  readonly nowMs: number;
  /** The record before, if it was ours too. */
  readonly own: LeaseRecord | undefined;
  /** Of a Lease that is to be created. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A longer one would keep everybody waiting for a holder that is long gone. */
const maxDurationMs = 3_600_000;

/** Stands for a Lease that is gone, and may have been held. */
export const absentLease: LeaseRecord = {
  holder: 'unknown',
  durationMs: undefined,
  spec: 'absent',
  acquireTime: undefined,
  transitions: 0,
  metadata: {},
};

/** Reads a Lease, whatever somebody wrote into it. */
export function decodeLease(body: unknown): LeaseRecord {
  const { metadata, spec } = record(body);
  const fields = record(spec);
  const { holderIdentity, leaseDurationSeconds, acquireTime, leaseTransitions } = fields;
  const durationMs = typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : 0;
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    durationMs: durationMs > 0 && durationMs <= maxDurationMs ? durationMs : undefined,
    spec: JSON.stringify(fields),
    acquireTime: typeof acquireTime === 'string' ? acquireTime : undefined,
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    metadata: record(metadata),
  };
}

/** The Lease with a holder, to be written over `base`, or anew without one. */
export function heldLease(
  base: LeaseRecord | undefined,
  { identity, durationMs, nowMs, own, metadata }: Hold,
): unknown {
  const now = microTime(nowMs);
  const transitions = base === undefined ? 0 : base.transitions + (own === undefined ? 1 : 0);
  return lease(metadata ?? base?.metadata ?? {}, {
    holderIdentity: identity,
    leaseDurationSeconds: Math.max(1, Math.ceil(durationMs / 1000)),
    acquireTime: own?.acquireTime ?? now,
    renewTime: now,
    leaseTransitions: transitions,
  });
}

/** The Lease without a holder. The duration must be above 0; client-go writes 1 s as well. */
export function releasedLease({ metadata, transitions }: LeaseRecord): unknown {
  return lease(metadata, { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: transitions });
}

/** `2026-01-31T12:00:00.123000Z`, as Kubernetes' MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000Z');
}

function lease(metadata: unknown, spec: unknown): unknown {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
