import type { Bench } from '../harness/measure.ts';
import type { Result } from '../harness/result.ts';

/** One file a scenario, one line in registry.ts. */
export interface Scenario {
  /** Names its results file and selects it with --only. */
  readonly id: string;
  readonly title: string;
  run(bench: Bench): Promise<Result>;
}
