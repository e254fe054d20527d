import { afterEach, describe, expect, test } from '@jest/globals';

import { ingress, startReflectorRig, startSyncedRig } from '../../test/support/reflector-rig.ts';
import type { ReflectorRig, RigOptions } from '../../test/support/reflector-rig.ts';
import { resources } from './resources.ts';

let rig: ReflectorRig;

/** With Ingresses that are there from the beginning. */
async function startSynced(options: RigOptions = {}) {
  const synced = await startSyncedRig(['a', 'b', 'c'], options);
  rig = synced;
  return synced;
}

afterEach(() => rig.close());

describe('expired versions (410)', () => {
  test('at connect: listed again, only differences are told', async () => {
    const { api, sink, watch, metrics } = await startSynced();
    watch.stall();
    api.remove('Ingress', 'web/a');
    api.put('Ingress', ingress('d'));
    api.store.compact();
    watch.cut();
    expect(await sink.until('synced')).toEqual(['set web/d', 'delete web/a', 'synced']);
    expect(metrics.ends).toEqual(['error', 'expired']);
    expect(metrics.relists).toBe(2);
  });

  test('as a status of the watch', async () => {
    const { api, sink, watch } = await startSynced();
    api.fault(
      { verb: 'watch', times: 1 },
      { answer: { status: 410, body: { kind: 'Status', message: 'gone' } } },
    );
    watch.end();
    expect(await sink.until('synced')).toEqual(['synced']);
  });

  test('in the stream', async () => {
    const { api, sink, watch, metrics } = await startSynced();
    api.put('Ingress', ingress('d'));
    watch.error(410, 'Expired', 'too old resource version');
    expect(await sink.until('synced')).toEqual(['set web/d', 'synced']);
    expect(metrics.ends).toEqual(['expired']);
  });

  test('between two pages: from the first page again, then everything at once', async () => {
    const { api, sink } = await startReflectorRigWithPages();
    api.fault({ verb: 'list', times: 2, when: ({ query }) => query.has('continue') }, expired);
    rig.api.store.compact();
    const told = await sink.until('synced');
    expect(told).toEqual(['set web/a', 'set web/b', 'set web/c', 'synced']);
    expect(api.requestsOf('list', 'ingresses').map(({ query }) => query.get('limit'))).toEqual([
      '1',
      '1',
      '1',
      '1',
      null,
    ]);
  });
});

const expired = { answer: { status: 410, body: { kind: 'Status', message: 'continue is too old' } } };

async function startReflectorRigWithPages(): Promise<ReflectorRig> {
  rig = await startReflectorRig({
    tuning: { pageSize: 1 },
    prepare: (api) => ['a', 'b', 'c'].forEach((name) => api.put('Ingress', ingress(name))),
  });
  return rig;
}

describe('refusals', () => {
  test('429: not asked again before the time that it names', async () => {
    rig = await startReflectorRig({
      prepare: (api) =>
        api.fault({ verb: 'list', times: 1 }, { answer: { status: 429, headers: { 'retry-after': '7' } } }),
    });
    expect(await rig.sink.until('synced')).toEqual(['stalled failing', 'recovered', 'synced']);
    expect(rig.clock.pauses).toEqual([7350]);
  });

  test('503 of a watch: with growing pauses, and nothing is lost', async () => {
    const { api, sink, watch, clock } = await startSynced();
    api.fault({ verb: 'watch', times: 3 }, { answer: { status: 503, body: 'overloaded' } });
    watch.end();
    api.put('Ingress', ingress('d'));
    expect(await sink.until('set web/d')).toContain('recovered');
    expect(clock.pauses.slice(0, 4)).toEqual([550, 1500, 3000, 6000]);
    expect(sink.stalls[0]?.message).toContain('answered 503: overloaded');
  });

  test('403: stalled until it is allowed, asked for now and then', async () => {
    const { api, sink, watch, clock } = await startSynced({ holdFromMs: 10_000 });
    const body = { message: 'no list for you' };
    const allow = api.fault({ plural: 'ingresses' }, { answer: { status: 403, body } });
    watch.end();
    await sink.until('stalled forbidden');
    expect(sink.stalls[0]?.message).toMatch(/no list for you$/);
    await clock.untilHeld();
    expect(clock.held).toEqual([37_500]);
    api.put('Ingress', ingress('d'));
    allow();
    clock.elapse(37_500);
    expect(await sink.until('synced')).toEqual(['set web/d', 'recovered', 'synced']);
  });

  test('401: stalled, what was read stays in force', async () => {
    const { api, sink, watch } = await startSynced();
    const allow = api.fault({ plural: 'ingresses' }, { answer: { status: 401 } });
    watch.cut();
    await sink.until('stalled unauthorized');
    allow();
    expect(await sink.until('recovered')).toEqual(['recovered']);
    expect(sink.objects.size).toBe(3);
  });
});

describe('a stream that makes no sense', () => {
  const other = `${JSON.stringify({ type: 'ADDED', object: { kind: 'Service', metadata: { name: 'x' } } })}\n`;
  const euro = Buffer.from('{"type":"ADDED","object":{"a":"€').subarray(0, -1);
  test.each([
    ['no JSON', 'what?\n'],
    ['a NUL', '\0\n'],
    ['another kind of object', other],
    ['an unknown type of event', '{"type":"RENAMED","object":{}}\n'],
    ['an event without an object', '{"type":"ADDED"}\n'],
    ['a bookmark without a version', '{"type":"BOOKMARK","object":{}}\n'],
  ])('%s: counted, and listed again', async (_what, bytes) => {
    const { api, sink, watch, metrics } = await startSynced();
    watch.stall();
    api.put('Ingress', ingress('d'));
    watch.send(bytes);
    expect(await sink.until('synced')).toEqual(['set web/d', 'synced']);
    expect([metrics.garbageCount, metrics.ends]).toEqual([1, ['garbage']]);
  });

  test.each([
    ['inside a line', Buffer.from('{"type":"ADDED","object":{"kind":"Ing')],
    ['inside a character', euro],
  ])('it ends %s: counted, and listed again', async (_what, bytes) => {
    const { sink, watch, metrics } = await startSynced();
    watch.send(bytes);
    watch.end();
    expect(await sink.until('synced')).toEqual(['synced']);
    expect([metrics.garbageCount, metrics.ends]).toEqual([1, ['garbage']]);
  });

  test('events before it were told', async () => {
    const { api, sink, watch } = await startSynced();
    const [first] = api.store.list('/apis/networking.k8s.io/v1/ingresses', '');
    watch.stall();
    const removed = { ...first, metadata: { ...first?.metadata, resourceVersion: '900' } };
    api.store.passVersions(900);
    watch.send(`${JSON.stringify({ type: 'DELETED', object: removed })}\nwhat?\n`);
    await sink.until('delete web/a');
    expect(await sink.until('synced')).toEqual(['set web/a', 'synced']);
  });

  test('a list that is none, or breaks off', async () => {
    rig = await startReflectorRig({
      prepare: (api) => {
        api.put('Ingress', ingress('a'));
        api.fault({ verb: 'list', times: 1 }, { bytes: '{"items":[]}' });
        api.fault({ verb: 'list', times: 1 }, { cutAfterBytes: 20 });
        api.fault({ verb: 'list', times: 1 }, { bytes: '<html>' });
      },
    });
    expect(await rig.sink.until('synced')).toEqual([
      'stalled failing',
      'stalled unreachable',
      'stalled failing',
      'set web/a',
      'recovered',
      'synced',
    ]);
  });

  test('an item of a list that is no object', async () => {
    rig = await startReflectorRig({
      prepare: (api) => {
        const bytes = '{"metadata":{"resourceVersion":"9"},"items":[7]}';
        api.fault({ verb: 'list', times: 1 }, { bytes });
      },
    });
    await rig.sink.until('synced');
    expect(rig.metrics.garbageCount).toBe(1);
  });

  test('an ERROR event that is no 410 is told, and the scope listed again', async () => {
    const { sink, watch, metrics } = await startSynced();
    watch.error(500, 'InternalError', 'etcd is on fire');
    expect(await sink.until('synced')).toEqual(['stalled failing', 'recovered', 'synced']);
    expect(sink.stalls[0]?.message).toMatch(/answered 500: etcd is on fire$/);
    expect(metrics.ends).toEqual(['error']);
  });

  test('an object of 10 MiB is refused alone', async () => {
    const { api, sink } = await startSynced();
    const huge = { ...ingress('huge'), padding: 'x'.repeat(10 * 1024 * 1024) };
    api.put('Ingress', huge);
    api.put('Ingress', ingress('z'));
    expect(await sink.until('set web/z')).toEqual(['refused web/huge', 'set web/z']);
  });

  test('a page of huge objects is asked for in smaller ones', async () => {
    const padding = 'x'.repeat(9 * 1024 * 1024);
    rig = await startReflectorRig({
      prepare: (api) =>
        ['a', 'b', 'c', 'd'].forEach((name) => api.put('Ingress', { ...ingress(name), padding })),
      tuning: { pageSize: 16 },
    });
    const refused = ['a', 'b', 'c', 'd'].map((name) => `refused web/${name}`);
    expect(await rig.sink.until('synced')).toEqual([...refused, 'synced']);
    const lists = rig.api.requestsOf('list', 'ingresses');
    expect(lists.map(({ query }) => query.get('limit'))).toEqual(['16', '2', '2']);
    expect(rig.sink.stalls).toEqual([]);
  });
});

describe('silence', () => {
  test('after a bookmark: the stream counts as dead, and everything is listed again', async () => {
    const { api, sink, watch, metrics, clock } = await startSynced();
    watch.bookmark();
    api.put('Ingress', ingress('d'));
    await sink.until('set web/d');
    watch.stall();
    clock.elapse(74_000);
    api.put('Ingress', ingress('e'));
    expect(metrics.ends).toEqual([]);
    clock.elapse(2_000);
    expect(await sink.until('synced')).toEqual(['set web/e', 'synced']);
    expect(metrics.ends).toEqual(['silent']);
    await watch.closed;
  });

  test('without a bookmark: only opened again', async () => {
    const { api, metrics, watch, clock } = await startSynced();
    watch.stall();
    api.put('Ingress', ingress('d'));
    clock.elapse(75_000);
    await api.watch('ingresses');
    await rig.sink.until('set web/d');
    expect([metrics.ends, metrics.relists]).toEqual([['quiet'], 1]);
  });

  test('of a single object without a bookmark is normal until the watch must end', async () => {
    const { api, sink, metrics, clock } = await startSynced({
      scope: { resource: resources.Ingress, namespace: 'web', name: 'a' },
    });
    clock.elapse(314_000);
    expect(metrics.ends).toEqual([]);
    clock.elapse(1_000);
    await api.watch('ingresses');
    expect(metrics.ends).toEqual(['quiet']);
    expect(sink.rest()).toEqual([]);
  });
});
