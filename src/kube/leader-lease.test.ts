import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryApi, answer } from '../../test/support/memory-api.ts';
import type { Journey } from '../../test/support/memory-api.ts';
import { SimulatedTime } from '../../test/support/simulated-time.ts';
import type { ClockSkew } from '../../test/support/simulated-time.ts';
import { createLog } from '../telemetry/log.ts';
import { LeaderLease } from './leader-lease.ts';

const path = '/apis/coordination.k8s.io/v1/namespaces/sallyport/leases/leader';
const silent = createLog({ write: () => undefined }, 'silent');

interface Replica {
  readonly lease: LeaderLease;
  /** Cuts it off from the API server. */
  cut: boolean;
  term: AbortSignal | undefined;
}

function harness() {
  const time = new SimulatedTime();
  const api = new MemoryApi(time);
  const replicas: Replica[] = [];
  const leaders = (): string[] =>
    replicas.flatMap(({ lease }, index) => (lease.isLeader() ? [`pod-${index}`] : []));
  return {
    time,
    api,
    leaders,
    lease: () => api.objects.get(path) as unknown as { spec: Record<string, unknown> },
    add: (skew: ClockSkew = {}, journey: () => Journey = () => ({ thereMs: 5, backMs: 5 })) => {
      const replica: Replica = {
        cut: false,
        term: undefined,
        lease: new LeaderLease({
          transport: api.transport(() => (replica.cut ? { lost: 'request' } : journey())),
          namespace: 'sallyport',
          name: 'leader',
          identity: `pod-${replicas.length}`,
          log: silent,
          clock: time.clock(skew),
          wallNow: () => Date.parse('2026-01-31T12:00:00Z') + time.nowMs,
        }),
      };
      replica.lease.subscribe({
        onLead: (term) => {
          replica.term = term;
        },
        onLose: () => undefined,
      });
      replicas.push(replica);
      replica.lease.start();
      return replica;
    },
    /** Simulated milliseconds until there is a leader other than the one named. */
    takeover: async (from: string | undefined) => {
      const startMs = time.nowMs;
      for (;;) {
        const found = leaders().filter((name) => name !== from);
        if (found.length > 0) return time.nowMs - startMs;
        // oxlint-disable-next-line no-await-in-loop -- time passes
        await time.advance(10);
        if (time.nowMs - startMs > 120_000) return Infinity;
      }
    },
  };
}

describe('a Lease', () => {
  test('is created by the first, and names it', async () => {
    const { time, add, lease, leaders } = harness();
    const first = add();
    add();
    await time.advance(1000);
    expect(leaders()).toEqual(['pod-0']);
    expect(first.lease.holder).toBe('pod-0');
    expect(lease().spec).toEqual({
      holderIdentity: 'pod-0',
      leaseDurationSeconds: 12,
      acquireTime: '2026-01-31T12:00:00.010000Z',
      renewTime: '2026-01-31T12:00:00.010000Z',
      leaseTransitions: 0,
    });
    await time.advance(60_000);
    expect(leaders()).toEqual(['pod-0']);
    expect(lease().spec).toMatchObject({ acquireTime: '2026-01-31T12:00:00.010000Z', leaseTransitions: 0 });
    expect(lease().spec['renewTime']).not.toBe('2026-01-31T12:00:00.010000Z');
  });

  test.each([0, 700, 1300, 1900])(
    'of a leader that falls silent %i ms after a renewal is taken over within 15 s',
    async (afterMs) => {
      const { time, add, takeover, lease } = harness();
      const first = add();
      add({ offsetMs: 1e9, random: () => 0.99 });
      await time.advance(20_000 + afterMs);
      first.cut = true;
      expect(await takeover('pod-0')).toBeLessThanOrEqual(15_000);
      expect(first.lease.isLeader()).toBe(false);
      expect(first.term?.aborted).toBe(true);
      expect(lease().spec).toMatchObject({ holderIdentity: 'pod-1', leaseTransitions: 1 });
    },
  );

  test('that is given back is taken within seconds, and its holder stops writing first', async () => {
    const { time, add, takeover, lease } = harness();
    const first = add();
    add();
    await time.advance(5000);
    const stopped = first.lease.stop();
    expect(first.lease.isLeader()).toBe(false);
    expect(first.term?.aborted).toBe(true);
    await time.advance(20);
    await stopped;
    expect(lease().spec['holderIdentity']).toBe('');
    expect(await takeover('pod-0')).toBeLessThanOrEqual(2500);
  });

  test('is given back although a renewal is under way', async () => {
    const { time, add, api, lease } = harness();
    let backMs = 5;
    const first = add({}, () => ({ thereMs: 5, backMs }));
    await time.advance(1000);
    backMs = 500;
    const renewals = api.calls.length;
    while (api.calls.length === renewals) {
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await time.advance(10);
    }
    const stopped = first.lease.stop();
    await time.advance(3000);
    await stopped;
    expect(lease().spec['holderIdentity']).toBe('');
  });

  test('that is deleted ends the term, and who saw its holder waits for it', async () => {
    const { time, add, api, leaders } = harness();
    const first = add();
    add();
    await time.advance(5000);
    first.cut = true;
    api.objects.delete(path);
    const lost: number[] = [];
    await time.advance(30_000, () => {
      if (!first.lease.isLeader() && lost.length === 0) lost.push(time.nowMs);
      expect(leaders().length).toBeLessThanOrEqual(1);
    });
    expect(leaders()).toEqual(['pod-1']);
  });

  test('is renewed through an answer that got lost', async () => {
    const { time, add, leaders } = harness();
    let journey: Journey = { thereMs: 5, backMs: 5 };
    add({}, () => journey);
    await time.advance(1000);
    journey = { thereMs: 5, lost: 'answer' };
    await time.advance(2500);
    journey = { thereMs: 5, backMs: 5 };
    await time.advance(20_000);
    expect(leaders()).toEqual(['pod-0']);
  });

  test('of a process that was started again is its own at once', async () => {
    const { time, add, api, leaders } = harness();
    add();
    await time.advance(5000);
    const again = new LeaderLease({
      transport: api.transport(),
      namespace: 'sallyport',
      name: 'leader',
      identity: 'pod-0',
      log: silent,
      clock: time.clock(),
    });
    again.start();
    await time.advance(100);
    expect(again.isLeader()).toBe(true);
    expect(leaders()).toContain('pod-0');
  });

  test('is not asked for more often than the API server wants', async () => {
    const { time, add } = harness();
    let asked = 0;
    add({}, () => {
      asked++;
      return { answer: answer(429, {}, 5000) };
    });
    await time.advance(21_000);
    expect(asked).toBeLessThanOrEqual(5);
  });

  test.each([
    { spec: { holderIdentity: 7, leaseDurationSeconds: 'x' } },
    { spec: { holderIdentity: 'gone', leaseDurationSeconds: -1 } },
    { spec: { holderIdentity: 'gone', leaseDurationSeconds: 1e12 } },
    {},
  ])('with nonsense in it (%j) is taken over in the end', async (object) => {
    const { time, add, api, leaders } = harness();
    api.put(path, object);
    add();
    await time.advance(15_000);
    expect(leaders()).toEqual(['pod-0']);
  });
});

describe('one writer', () => {
  const call = fc.record({
    thereMs: fc.oneof({ weight: 6, arbitrary: fc.constant(3) }, fc.integer({ min: 0, max: 6000 })),
    backMs: fc.oneof({ weight: 6, arbitrary: fc.constant(3) }, fc.integer({ min: 0, max: 6000 })),
    fate: fc.constantFrom('fine', 'fine', 'fine', 'fine', 'fine', 'fine', 'request', 'answer', 'busy'),
  });
  const skew = fc.record({
    rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
    offsetMs: fc.integer({ min: 0, max: 1e9 }),
    jitter: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 5 }),
    calls: fc.array(call, { minLength: 1, maxLength: 25 }),
  });
  const incident = fc.record({
    atMs: fc.integer({ min: 0, max: 90_000 }),
    what: fc.constantFrom('cut', 'heal', 'stop', 'delete'),
    replica: fc.nat(2),
  });

  test('at any time, whatever becomes of calls, clocks, replicas and the Lease', async () => {
    let led = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(skew, skew, skew),
        fc.array(incident, { maxLength: 8 }),
        async (skews, incidents) => {
          const { time, api, leaders, add } = harness();
          const replicas = skews.map(({ rate, offsetMs, jitter, calls }) => {
            let turn = 0;
            const random = (): number => jitter[turn++ % jitter.length] ?? 0;
            let sent = 0;
            // Nothing is lost while they get to know the Lease.
            return add({ rate, offsetMs, random }, () =>
              time.nowMs < 10_000 ? { thereMs: 3, backMs: 3 } : journeyOf(calls[sent++ % calls.length]),
            );
          });
          // What nobody has seen protects nobody when it is deleted: all have seen it by then.
          let deletable = 0;
          for (const { atMs, what, replica } of incidents.toSorted((a, b) => a.atMs - b.atMs)) {
            const target = replicas[replica];
            if (what === 'delete') {
              if (atMs < deletable) continue;
              deletable = atMs + 30_000;
            }
            time.at(15_000 + atMs, () => {
              if (what === 'delete') api.objects.delete(path);
              else if (what === 'stop') void target?.lease.stop();
              else if (target !== undefined) target.cut = what === 'cut';
            });
          }
          await time.advance(120_000, () => {
            const now = leaders();
            led += now.length;
            if (now.length > 1) throw new Error(`${now.join(' and ')} lead at ${time.nowMs} ms`);
          });
        },
      ),
      { numRuns: 200 },
    );
    expect(led).toBeGreaterThan(1000);
  });
});

function journeyOf(call: { thereMs: number; backMs: number; fate: string } | undefined): Journey {
  if (call === undefined) return {};
  const { thereMs, backMs, fate } = call;
  if (fate === 'request' || fate === 'answer') return { thereMs, backMs, lost: fate };
  return fate === 'busy' ? { thereMs, backMs, answer: answer(429, {}, 1000) } : { thereMs, backMs };
}
