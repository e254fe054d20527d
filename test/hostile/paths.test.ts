import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { HostileRig } from '../support/hostile-harness.ts';
import type { Refusal } from '../support/hostile-harness.ts';
import {
  badPaths,
  badPathsAllTheSame,
  badRewrites,
  belowPrefix,
  besidePrefix,
  keptSlashes,
  matched,
  normalised,
  rawPaths,
  routes,
  unmatched,
} from './rows/path-rows.ts';

// Paths: what is matched is what is forwarded, in one normal form (RFC 3986 §6.2.2). Names begin with the row of the
// corpus. A field that each route sets tells which one matched.

let rig: HostileRig;
let lenient: HostileRig;

beforeAll(async () => {
  rig = await HostileRig.start({ routes });
  lenient = await HostileRig.start({ routes, settings: { allowEncodedSlashes: true } });
});

afterAll(async () => {
  await rig.stop();
  await lenient.stop();
});

const badPath: Refusal = { status: 400, code: 'SP_BAD_PATH' };
const badRequest: Refusal = { status: 400, code: 'SP_BAD_REQUEST' };

function get(path: string, host = 'a.example'): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

/** The request must be forwarded as this target, by this route. */
async function forwards(on: HostileRig, bytes: string, target: string, route: string): Promise<void> {
  const [request] = await on.forwards(bytes, [{ method: 'GET', target }]);
  expect(request?.headers.get('x-route')).toBe(route);
}

describe('resolved, then matched, and forwarded as matched', () => {
  test.each(normalised)('%s', async (_, path, target, route) => {
    await forwards(rig, get(path), target, route);
  });
});

describe('refused', () => {
  test.each(badPaths)('%s', async (_, path) => {
    await rig.refuses(get(path), badPath);
  });

  test.each(rawPaths)('%s', async (_, path) => {
    await rig.refuses(get(path), badRequest);
  });
});

describe('encoded slashes that are let in', () => {
  test.each(keptSlashes)('%s', async (_, path, target, route) => {
    await forwards(lenient, get(path), target, route);
  });

  test.each(badPathsAllTheSame)('%s is refused all the same', async (_, path) => {
    await lenient.refuses(get(path), badPath);
  });
});

describe('below a stripped prefix', () => {
  test.each(besidePrefix)('%s is not', async (_, path) => {
    await rig.answers(get(path, 'strip.example'), 404);
  });

  test.each(belowPrefix)('%s is', async (_, path, target) => {
    await forwards(rig, get(path, 'strip.example'), target, 'strip');
  });
});

describe('rewritten by a regex', () => {
  test.each(badRewrites)('%s: refused', async (_, path) => {
    await rig.answers(get(path, 'regex.example'), 400);
  });

  test('P09 to a normal path', async () => {
    await forwards(rig, get('/xa/b', 'regex.example'), '/a/b', 'regex');
  });
});

describe('by element', () => {
  test.each(unmatched)('%s does not match', async (_, path, host) => {
    await rig.answers(get(path, host), 404);
  });

  test.each(matched)('%s matches', async (_, path, host, route) => {
    await forwards(rig, get(path, host), path, route);
  });
});
