import { afterEach, expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startRuntimeSampler } from './runtime-sampler.ts';
import type { RuntimeSampler } from './runtime-sampler.ts';
import type { LoopSample } from './worker-counters.ts';

let sampler: RuntimeSampler | undefined;

afterEach(() => {
  sampler?.stop();
});

function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a stall of the event loop shows, and is still there when its window has ended', async () => {
  const stalled = Promise.withResolvers<LoopSample>();
  let samples = 0;
  let begun = false;
  sampler = startRuntimeSampler(
    {
      sampled: (sample) => {
        // The delay histogram needs two ticks of its own before it can see a gap.
        if (!begun && ++samples > 5) {
          begun = true;
          samples = 0;
          stall(150);
        } else if (begun && ++samples === 16) stalled.resolve(sample);
      },
      collectedGarbage: () => undefined,
    },
    10,
  );
  const keepAlive = setInterval(() => undefined, 1000);
  const sample = await stalled.promise;
  clearInterval(keepAlive);
  expect(sample.maxSeconds).toBeGreaterThan(0.1);
  expect(sample.p50Seconds).toBeLessThanOrEqual(sample.p99Seconds);
  expect(sample.p99Seconds).toBeLessThanOrEqual(sample.maxSeconds);
  expect(sample.utilizationRatio).toBeGreaterThanOrEqual(0);
  expect(sample.utilizationRatio).toBeLessThanOrEqual(1);
  expect(sample.heapUsedBytes).toBeGreaterThan(1_000_000);
});

test('garbage collections are told with their kind', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const told = Promise.withResolvers<number>();
  sampler = startRuntimeSampler({
    sampled: () => undefined,
    collectedGarbage: (kind, seconds) => {
      if (kind === 'major') told.resolve(seconds);
    },
  });
  collect();
  const seconds = await told.promise;
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(60);
});
