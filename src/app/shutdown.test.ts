import { describe, expect, test } from '@jest/globals';
import { createLog } from '../telemetry/log.ts';
import { Shutdown } from './shutdown.ts';

function harness(drains = true) {
  let now = 0;
  const timers = new Map<() => void, number>();
  const events: string[] = [];
  let endDrain = (): void => undefined;
  const shutdown = new Shutdown(
    {
      unready: () => events.push(`unready ${now}`),
      drain: (windowMs) => {
        events.push(`drain ${now} over ${windowMs}`);
        return drains
          ? Promise.resolve()
          : new Promise((resolve) => {
              endDrain = resolve;
            });
      },
      stop: () => {
        events.push(`stop ${now}`);
        return Promise.resolve();
      },
    },
    {
      drainDelayMs: 5000,
      gracePeriodMs: 25_000,
      log: createLog({ write: () => undefined }, 'silent'),
      clock: {
        now: () => now,
        after: (ms, run) => {
          timers.set(run, now + ms);
          return () => timers.delete(run);
        },
      },
    },
  );
  void shutdown.finished.then(() => events.push('finished'));
  const advance = async (ms: number): Promise<void> => {
    now += ms;
    await settle();
    for (const [run, at] of timers) if (at <= now && timers.delete(run)) run();
    await settle();
  };
  return { shutdown, events, advance, endDrain: () => endDrain() };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('shutdown', () => {
  test('keeps accepting for the drain delay, then drains and stops', async () => {
    const { shutdown, events, advance } = harness();
    shutdown.request('SIGTERM');
    await advance(4999);
    expect(events).toEqual(['unready 0']);
    await advance(1);
    expect(events).toEqual(['unready 0', 'drain 5000 over 5000', 'stop 5000', 'finished']);
  });

  test('waits for what runs until it ends', async () => {
    const { shutdown, events, advance, endDrain } = harness(false);
    shutdown.request('SIGTERM');
    await advance(5000);
    await advance(10_000);
    expect(events).not.toContain('finished');
    endDrain();
    await settle();
    expect(events.slice(2)).toEqual(['stop 15000', 'finished']);
  });

  test('stops hard at the grace period', async () => {
    const { shutdown, events, advance } = harness(false);
    shutdown.request('SIGTERM');
    await advance(5000);
    await advance(19_999);
    expect(events).toHaveLength(2);
    await advance(1);
    expect(events.slice(2)).toEqual(['stop 25000', 'finished']);
  });

  test('a second signal stops at once, in every phase', async () => {
    const early = harness();
    early.shutdown.request('SIGTERM');
    await early.advance(1000);
    early.shutdown.request('SIGINT');
    await settle();
    expect(early.events.at(-1)).toBe('finished');
    const late = harness(false);
    late.shutdown.request('SIGTERM');
    await late.advance(5000);
    late.shutdown.request('SIGTERM');
    await settle();
    expect(late.events.slice(2)).toEqual(['stop 5000', 'finished']);
  });
});
