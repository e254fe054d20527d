import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Http2HostileRig, transports } from '../support/http2-hostile-harness.ts';
import {
  badPaths,
  badPathsAllTheSame,
  badRewrites,
  belowPrefix,
  besidePrefix,
  keptSlashes,
  matched,
  normalised,
  routes,
  unmatched,
} from './rows/path-rows.ts';

// The rows P by :path. What is no path byte by byte (a raw é, a fragment) is among the rows V03 and V04.

const badPath = { status: 400, code: 'SP_BAD_PATH' } as const;

describe.each(transports)('%s', (transport) => {
  let rig: Http2HostileRig;
  let lenient: Http2HostileRig;

  beforeAll(async () => {
    rig = await Http2HostileRig.start(transport, { routes });
    lenient = await Http2HostileRig.start(transport, { routes, settings: { allowEncodedSlashes: true } });
  });

  afterAll(async () => {
    await rig.stop();
    await lenient.stop();
  });

  test.each(normalised)('%s', async (_, path, target, route) => {
    const received = await rig.forwards(rig.at(path), { method: 'GET', target });
    expect(received.headers.get('x-route')).toBe(route);
  });

  test.each(badPaths)('%s', async (_, path) => {
    await rig.refuses(rig.at(path), badPath);
  });

  test.each(keptSlashes)('%s where it is let in', async (_, path, target, route) => {
    const received = await lenient.forwards(lenient.at(path), { method: 'GET', target });
    expect(received.headers.get('x-route')).toBe(route);
  });

  test.each(badPathsAllTheSame)('%s is refused all the same', async (_, path) => {
    await lenient.refuses(lenient.at(path), badPath);
  });

  test.each(besidePrefix)('%s is not below the prefix', async (_, path) => {
    await rig.answers(rig.at(path, 'strip.example'), 404);
  });

  test.each(belowPrefix)('%s is below the prefix', async (_, path, target) => {
    const received = await rig.forwards(rig.at(path, 'strip.example'), { method: 'GET', target });
    expect(received.headers.get('x-route')).toBe('strip');
  });

  test.each(badRewrites)('%s: refused', async (_, path) => {
    await rig.answers(rig.at(path, 'regex.example'), 400);
  });

  test.each(unmatched)('%s does not match', async (_, path, host) => {
    await rig.answers(rig.at(path, host), 404);
  });

  test.each(matched)('%s matches', async (_, path, host, route) => {
    const received = await rig.forwards(rig.at(path, host), { method: 'GET', target: path });
    expect(received.headers.get('x-route')).toBe(route);
  });
});
