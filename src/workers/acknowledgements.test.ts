import { describe, expect, test } from '@jest/globals';
import { Acknowledgements } from './acknowledgements.ts';

function harness() {
  const settled: number[] = [];
  const acknowledgements = new Acknowledgements((generation) => settled.push(generation));
  return { acknowledgements, settled };
}

describe('acknowledgements', () => {
  test('a generation is live when the last worker has it; the slowest worker counts', async () => {
    const { acknowledgements, settled } = harness();
    const outcome = acknowledgements.expect(1);
    acknowledgements.measured({ generation: 1, linkMs: 5, stallMs: 1, closed: [] });
    acknowledgements.reached(0);
    acknowledgements.measured({ generation: 1, linkMs: 3, stallMs: 2, closed: [{ id: 'r', message: 'm' }] });
    acknowledgements.reached(1);
    expect(await outcome).toEqual({
      kind: 'live',
      generation: 1,
      linkMs: 5,
      stallMs: 2,
      closed: [{ id: 'r', message: 'm' }],
    });
    expect(settled).toEqual([1]);
  });

  test('a later generation settles the earlier ones', async () => {
    const { acknowledgements, settled } = harness();
    const outcomes = [acknowledgements.expect(1), acknowledgements.expect(2), acknowledgements.expect(3)];
    acknowledgements.reached(2);
    expect(await Promise.all(outcomes.slice(0, 2))).toMatchObject([
      { kind: 'live', generation: 1 },
      { kind: 'live', generation: 2 },
    ]);
    acknowledgements.reached(2);
    // A worker that is replaced serves nothing for a while: what was settled stays so.
    acknowledgements.reached(0);
    acknowledgements.reached(3);
    expect(await outcomes[2]).toMatchObject({ generation: 3 });
    expect(settled).toEqual([2, 3]);
  });

  test('a generation that cannot be linked does not take a later one with it', async () => {
    const { acknowledgements } = harness();
    const [first, second] = [acknowledgements.expect(1), acknowledgements.expect(2)];
    acknowledgements.failed(1, 'no');
    expect(await first).toEqual({ kind: 'failed', generation: 1, message: 'no' });
    acknowledgements.reached(2);
    expect(await second).toMatchObject({ kind: 'live', generation: 2 });
  });
});
