import { describe, expect, test } from '@jest/globals';

import { heartCheckEveryMs, judgeBeat, noSilence, patienceMs } from './heart.ts';
import type { BeatLook, Verdict } from './heart.ts';
import type { ThreadShare } from './thread-times.ts';

const limitMs = 1000;
const asleep: ThreadShare = { ranMs: 0, waitedMs: 0, othersWaitedMs: 0, onDisk: false };

/** Looks of one kind until the worker is given up, or until a minute has passed; what was said, and when the first of each. */
function follow(look: Partial<BeatLook>): ReadonlyMap<Verdict, number> {
  const first = new Map<Verdict, number>();
  let silence = noSilence;
  for (let nowMs = 0; nowMs < 60_000;) {
    const elapsedMs = look.elapsedMs ?? heartCheckEveryMs;
    nowMs += elapsedMs;
    const judged = judgeBeat(silence, { beat: false, elapsedMs, limitMs, ...look });
    silence = judged.silence;
    if (!first.has(judged.verdict)) first.set(judged.verdict, nowMs);
    if (judged.verdict === 'stalled') break;
  }
  return first;
}

describe('a silent worker', () => {
  test('that runs all the time is given up at the limit', () => {
    expect(follow({ share: { ...asleep, ranMs: 250 } })).toEqual(
      new Map<Verdict, number>([
        ['silent', 250],
        ['stalled', 1000],
      ]),
    );
  });

  test('that sleeps while processors are to be had is given up at the limit', () => {
    expect(follow({ share: asleep }).get('stalled')).toBe(1000);
  });

  test('that waits for a processor is called starved, and given up when patience ends', () => {
    expect(follow({ share: { ...asleep, waitedMs: 250 } })).toEqual(
      new Map<Verdict, number>([
        ['silent', 250],
        ['starved', 1000],
        ['stalled', limitMs + patienceMs],
      ]),
    );
  });

  test('that spins on a machine with little time is given up once it ran as long as the limit', () => {
    expect(follow({ share: { ...asleep, ranMs: 50, waitedMs: 200 } }).get('stalled')).toBe(5000);
  });

  test('that sleeps while other threads of the process wait is not blamed for it', () => {
    expect(follow({ share: { ...asleep, othersWaitedMs: 250 } }).get('stalled')).toBe(limitMs + patienceMs);
    expect(follow({ share: { ...asleep, othersWaitedMs: 125 } }).get('stalled')).toBe(2000);
  });

  test('that spins is blamed whatever others wait for', () => {
    expect(follow({ share: { ...asleep, ranMs: 250, othersWaitedMs: 250 } }).get('stalled')).toBe(1000);
  });

  test('that sleeps for a disk gets patience', () => {
    expect(follow({ share: { ...asleep, onDisk: true } }).get('stalled')).toBe(limitMs + patienceMs);
  });

  test('is not blamed for a sleep when the look itself came late, but for what it ran', () => {
    expect(follow({ share: asleep, elapsedMs: 400 }).get('stalled')).toBe(17_600);
    expect(follow({ share: { ...asleep, ranMs: 400 }, elapsedMs: 400 }).get('stalled')).toBe(1200);
  });

  test('is judged afresh after its next beat', () => {
    const look = { elapsedMs: heartCheckEveryMs, limitMs, share: { ...asleep, ranMs: 250 } };
    const before = judgeBeat({ ...noSilence, countedMs: 900, lookedMs: 900 }, { ...look, beat: true });
    expect(before).toEqual({ silence: noSilence, verdict: 'beats' });
    expect(judgeBeat(before.silence, { ...look, beat: false }).verdict).toBe('silent');
  });

  test('of a process that stood still for an hour is not blamed', () => {
    const hour = { beat: false, elapsedMs: 3_600_000, limitMs };
    const before = { ...noSilence, countedMs: 900, silentMs: 900, lookedMs: 900 };
    expect(judgeBeat(before, { ...hour, share: asleep }).verdict).toBe('starved');
    expect(judgeBeat(before, hour)).toEqual({
      silence: { ...noSilence, silentMs: 3_600_900, lookedMs: 1150 },
      verdict: 'starved',
    });
  });
});

describe('where the system tells nothing of threads', () => {
  test('silence counts at looks that are on time', () => {
    expect(follow({}).get('stalled')).toBe(1000);
  });

  test.each([310, 400, 600])('looks that come after %d ms count nothing, up to a bound', (elapsedMs) => {
    const looks = Math.ceil((limitMs + patienceMs) / heartCheckEveryMs);
    expect(follow({ elapsedMs }).get('stalled')).toBe(looks * elapsedMs);
  });
});
