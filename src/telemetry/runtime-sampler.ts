import { PerformanceObserver, constants, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { GcKind } from './counter-layout.ts';
import type { LoopSample } from './worker-counters.ts';

/** Where samples go: a worker's counters. */
export interface RuntimeSink {
  sampled(sample: LoopSample): void;
  collectedGarbage(kind: GcKind, seconds: number): void;
}

export interface RuntimeSampler {
  stop(): void;
}

const defaultEveryMs = 1000;
/** Samples until the delay histogram starts anew; the window before it is kept, so no scrape misses a stall. */
const samplesPerWindow = 15;
const resolutionMs = 20;

const gcKindOf: ReadonlyMap<number, GcKind> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** Measures the calling thread's event loop, heap and garbage collection until stopped. Keeps no thread alive. */
export function startRuntimeSampler(sink: RuntimeSink, everyMs = defaultEveryMs): RuntimeSampler {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const lateness = new LatenessWindows();
  let utilization = performance.eventLoopUtilization();
  const sample = (): void => {
    const now = performance.eventLoopUtilization();
    const since = performance.eventLoopUtilization(now, utilization);
    utilization = now;
    const worst = lateness.next([delay.percentile(50), delay.percentile(99), delay.max].map(lateSeconds));
    if (lateness.startsAnew) delay.reset();
    sink.sampled({
      p50Seconds: worst[0] as number,
      p99Seconds: worst[1] as number,
      maxSeconds: worst[2] as number,
      utilizationRatio: since.utilization,
      heapUsedBytes: getHeapStatistics().used_heap_size,
    });
  };
  const timer = setInterval(sample, everyMs);
  timer.unref();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail = (entry as { readonly detail?: { readonly kind?: number } }).detail;
      const kind = gcKindOf.get(detail?.kind ?? 0);
      if (kind !== undefined) sink.collectedGarbage(kind, entry.duration / 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return {
    stop: () => {
      clearInterval(timer);
      observer.disconnect();
      delay.disable();
    },
  };
}

/** The histogram holds the gaps between two ticks in ns; a gap of the resolution is no lateness. Empty, its max is 0. */
function lateSeconds(gapNs: number): number {
  return Math.max(0, gapNs / 1e9 - resolutionMs / 1000);
}

/** The worse of the window that runs and the one before it. */
class LatenessWindows {
  #before: readonly number[] = [0, 0, 0];
  #samples = 0;

  /** The window has ended with the last sample. */
  get startsAnew(): boolean {
    return this.#samples === 0;
  }

  next(current: readonly number[]): readonly number[] {
    const worst = current.map((value, place) => Math.max(value, this.#before[place] as number));
    this.#samples = (this.#samples + 1) % samplesPerWindow;
    if (this.#samples === 0) this.#before = current;
    return worst;
  }
}
