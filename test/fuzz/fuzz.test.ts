import { afterAll, describe, expect, test } from '@jest/globals';

import { compare } from './compare.ts';
import { runBatch } from './fuzz.ts';
import type { Finding } from './fuzz.ts';
import { NodeRequestReader } from './node-reader.ts';
import { readRequests } from './our-reader.ts';
import type { Message, Transcript } from './our-reader.ts';
import { ProxyTarget } from './proxy-target.ts';
import { EndpointTarget } from './endpoint-target.ts';
import { Random } from './random.ts';
import { createTargets, requestStream } from './targets.ts';

// A fixed slice of what `make fuzz` does for as long as it is told to.
const node = new NodeRequestReader();
const throughProxy = new ProxyTarget();
const fromEndpoints = new EndpointTarget();
afterAll(async () => {
  node.close();
  await throughProxy.close();
  await fromEndpoints.close();
});

test.each([...createTargets(node), throughProxy, fromEndpoints])(
  '$name: nothing found with a fixed seed',
  async (target) => {
    const random = new Random(20_261_121);
    const findings: Finding[] = [];
    const batches = target.name.endsWith('-beside-node') ? 10 : 4;
    for (let batch = 0; batch < batches; batch++)
      await runBatch(target, random, (finding) => findings.push(finding));
    expect(findings).toEqual([]);
  },
);

test('connections through the proxy lead to requests', () => {
  expect(throughProxy.forwarded).toBeGreaterThan(50);
  expect(fromEndpoints.passed).toBeGreaterThan(3);
});

test('a good part of the inputs is right enough to be read', () => {
  const random = new Random(7);
  const streams = Array.from({ length: 500 }, () => requestStream(random));
  const transcripts = streams.map((text) => readRequests(Buffer.from(text, 'latin1')));
  const bodies = transcripts.flatMap(({ messages }) => messages).filter(({ body }) => body !== '');
  expect(transcripts.filter(({ messages }) => messages.length > 0).length).toBeGreaterThan(200);
  expect(transcripts.filter(({ end }) => end === 'refused').length).toBeGreaterThan(100);
  expect(bodies.length).toBeGreaterThan(100);
});

describe('the comparison notices', () => {
  const message: Message = { start: ['GET', '/'], fields: ['Host', 'h'], body: '', trailers: [] };
  const read = (...messages: readonly Message[]): Transcript => ({ messages, end: 'clean', detail: '' });

  test.each([
    ['another target', read({ ...message, start: ['GET', '/x'] })],
    ['another field', read({ ...message, fields: ['Host', 'i'] })],
    ['another body', read({ ...message, body: 'x' })],
    ['a trailer that was not there', read({ ...message, trailers: ['a', 'b'] })],
    ['one message more', read(message, message)],
    ['one message less', read()],
  ])('%s', (_label, ours) => {
    expect(compare(ours, read(message), [], '')).toBeDefined();
  });

  test('nothing where both read alike, or we refuse', () => {
    expect(compare(read(message), read(message), [], '')).toBeUndefined();
    expect(compare({ ...read(), end: 'refused' }, read(message), [], '')).toBeUndefined();
  });
});

test('a target that throws is a finding', async () => {
  const findings: Finding[] = [];
  const target = {
    name: 'broken',
    batch: 1,
    make: () => 'x',
    check: () => {
      throw new Error('no');
    },
  };
  await runBatch(target, new Random(1), (finding) => findings.push(finding));
  expect(findings).toMatchObject([{ target: 'broken', input: 'x' }]);
});
