import { describe, expect, test } from '@jest/globals';

import { caseNames, compileCase, readCase, readExpected, shuffle, writeExpected } from './golden-case.ts';
import { decide, linkTable } from './decide.ts';
import type { RequestCase } from './decide.ts';

const rewrite = process.env['UPDATE_GOLDEN'] === '1';

/** What requests.yaml may say; anything else is a misspelt expectation that would never fail. */
const requestKeys = new Set(['url', 'method', 'headers', 'from', 'random', 'want']);
const wantKeys = new Set([
  'route',
  'status',
  'location',
  'upstream',
  'endpoints',
  'path',
  'host',
  'sends',
  'returns',
]);

describe.each(caseNames())('%s', (name) => {
  const golden = readCase(name);

  test('compiles to the stored table and status, in any order of input', async () => {
    const outcome = compileCase(golden, golden.objects);
    if (rewrite) await writeExpected(name, outcome);
    const expected = readExpected(name);
    expect(outcome.table).toEqual(expected.table);
    expect(outcome.status).toEqual(expected.status);
    for (const objects of [golden.objects.toReversed(), shuffle(golden.objects, name.length)]) {
      const other = compileCase(golden, objects);
      expect(other.table).toEqual(expected.table);
      expect(other.status).toEqual(expected.status);
    }
  });

  test('serves its requests as they say', async () => {
    const linked = await linkTable(compileCase(golden, golden.objects).routeTable);
    expect(golden.requests.length).toBeGreaterThan(0);
    for (const request of golden.requests as readonly RequestCase[]) {
      expect(Object.keys(request).filter((key) => !requestKeys.has(key))).toEqual([]);
      expect(Object.keys(request.want).filter((key) => !wantKeys.has(key))).toEqual([]);
      expect(Object.keys(request.want).length).toBeGreaterThan(0);
      const decision = await decide(linked, request);
      expect({ url: request.url, decision }).toMatchObject({ url: request.url, decision: request.want });
    }
  });
});
