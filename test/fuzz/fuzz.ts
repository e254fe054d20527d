import { Random } from './random.ts';
import type { FuzzTarget } from './targets.ts';

export interface Finding {
  readonly target: string;
  readonly problem: string;
  /** The input, latin1. */
  readonly input: string;
  /** Seed of the input's own random choices. */
  readonly seed: number;
}

/** Checks one input; whatever the codec throws is a finding too. */
export async function checkInput(
  target: FuzzTarget,
  input: string,
  seed: number,
): Promise<Finding | undefined> {
  let problem: string | undefined;
  try {
    problem = await target.check(input, new Random(seed));
  } catch (error) {
    problem = `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  return problem === undefined ? undefined : { target: target.name, problem, input, seed };
}

/** Makes the next batch of inputs for a target and checks them. */
export async function runBatch(
  target: FuzzTarget,
  random: Random,
  onFinding: (finding: Finding) => void,
): Promise<void> {
  for (let count = 0; count < target.batch; count++) {
    const seed = random.below(2 ** 31);
    const input = target.make(new Random(seed));
    const finding = await checkInput(target, input, seed);
    if (finding !== undefined) onFinding(finding);
  }
}
