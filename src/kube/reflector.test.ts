import { afterEach, describe, expect, test } from '@jest/globals';

import { ingress, startReflectorRig } from '../../test/support/reflector-rig.ts';
import type { ReflectorRig, RigOptions } from '../../test/support/reflector-rig.ts';
import { resources } from './resources.ts';

let rig: ReflectorRig;

async function start(options: RigOptions = {}): Promise<ReflectorRig> {
  rig = await startReflectorRig(options);
  return rig;
}

afterEach(() => rig.close());

describe('a scope is read', () => {
  test('page by page, and is synced after the last', async () => {
    const { api, sink, metrics } = await start({
      tuning: { pageSize: 2 },
      prepare: (server) => ['a', 'b', 'c', 'd', 'e'].forEach((name) => server.put('Ingress', ingress(name))),
    });
    expect(await sink.until('synced')).toEqual([
      'set web/a',
      'set web/b',
      'set web/c',
      'set web/d',
      'set web/e',
      'synced',
    ]);
    const lists = api.requestsOf('list', 'ingresses');
    expect(lists.map(({ query }) => query.get('limit'))).toEqual(['2', '2', '2']);
    expect(lists.map(({ query }) => query.has('resourceVersion'))).toEqual([false, false, false]);
    expect(metrics.objectCount).toBe(5);
    expect(metrics.relists).toBe(1);
  });

  test('without holding other scopes up while a page is slow', async () => {
    const page = Promise.withResolvers<void>();
    const { api, sink } = await start({
      tuning: { pageSize: 1 },
      prepare: (server) => {
        server.put('Ingress', ingress('a'));
        server.put('Ingress', ingress('b'));
        server.fault(
          { verb: 'list', times: 1, when: ({ query }) => query.has('continue') },
          { after: page.promise },
        );
      },
    });
    await sink.until('set web/a');
    expect((await rig.transport.request({ method: 'GET', path: '/api/v1/services' })).status).toBe(200);
    expect(sink.rest()).toEqual([]);
    page.resolve();
    expect(await sink.until('synced')).toEqual(['set web/b', 'synced']);
    await api.watch('ingresses');
  });

  test('by the name of one object, in its namespace', async () => {
    const { api, sink } = await start({
      scope: { resource: resources.Secret, namespace: 'web', name: 'tls' },
      prepare: (server) => {
        for (const name of ['tls', 'other'])
          server.put('Secret', { metadata: { name, namespace: 'web' }, data: {} });
      },
    });
    expect(await sink.until('synced')).toEqual(['set web/tls', 'synced']);
    const watch = await api.watch('secrets');
    api.put('Secret', { metadata: { name: 'other', namespace: 'web' }, data: { a: '' } });
    api.put('Secret', { metadata: { name: 'tls', namespace: 'web' }, data: { b: '' } });
    expect(await sink.until('set web/tls')).toEqual(['set web/tls']);
    for (const { url } of [watch.request, ...api.requestsOf('list', 'secrets')]) {
      expect(url).toContain('/api/v1/namespaces/web/secrets?fieldSelector=metadata.name%3Dtls&');
    }
  });

  test('and is watched from the version of the list, with bookmarks and for a random time', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    const { request } = await api.watch('ingresses');
    await sink.until('synced');
    expect(Object.fromEntries(request.query)).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: String(api.store.version),
      timeoutSeconds: '270',
    });
  });
});

describe('a watch', () => {
  test('tells what is created, changed and deleted', async () => {
    const { api, sink, metrics } = await start();
    await sink.until('synced');
    await api.watch('ingresses');
    api.put('Ingress', ingress('a'));
    await sink.until('set web/a');
    api.put('Ingress', ingress('a', { path: '/other' }));
    await sink.until('set web/a');
    api.remove('Ingress', 'web/a');
    await sink.until('delete web/a');
    expect(sink.sets.map(({ object }) => object.meta.generation)).toEqual([1, 2]);
    expect(metrics.objectCount).toBe(0);
  });

  test('that ends in good order goes on from the last event or bookmark, and nothing is listed again', async () => {
    const { api, sink, metrics } = await start();
    await sink.until('synced');
    const first = await api.watch('ingresses');
    api.put('Ingress', ingress('a'));
    await sink.until('set web/a');
    first.end();
    const second = await api.watch('ingresses');
    expect(second.request.query.get('resourceVersion')).toBe(String(api.store.version));
    api.store.passVersions(50);
    second.bookmark();
    second.end();
    const third = await api.watch('ingresses');
    expect(third.request.query.get('resourceVersion')).toBe(String(api.store.version));
    expect(api.requestsOf('list', 'ingresses')).toHaveLength(1);
    expect(metrics.ends).toEqual(['ended', 'ended']);
  });

  test('that lived long is opened again at once, one that ends at once is not', async () => {
    const { api, sink, clock } = await start();
    await sink.until('synced');
    const first = await api.watch('ingresses');
    await clock.untilHeld();
    clock.elapse(20_000);
    first.end();
    const second = await api.watch('ingresses');
    expect(clock.pauses).toEqual([]);
    second.end();
    await api.watch('ingresses');
    expect(clock.pauses).toEqual([550]);
  });

  test('catches up on what happened while it was closed', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    await sink.until('synced');
    const watch = await api.watch('ingresses');
    watch.stall();
    api.put('Ingress', ingress('b'));
    api.remove('Ingress', 'web/a');
    watch.cut();
    expect(await sink.until('delete web/a')).toEqual(['set web/b', 'delete web/a']);
    expect(api.requestsOf('list', 'ingresses')).toHaveLength(1);
  });
});

describe('a change', () => {
  test('of status and managed fields only is told with the object as it was', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    await sink.until('synced');
    await api.watch('ingresses');
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    api.put('Ingress', { ...ingress('a'), status });
    await sink.until('set web/a');
    const [before, after] = sink.sets;
    expect(after?.object).toBe(before?.object);
    expect([before?.status, after?.status]).toEqual([undefined, status]);
  });

  test('of labels is a change of the object', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    await sink.until('synced');
    await api.watch('ingresses');
    api.put('Ingress', ingress('a', { labels: { tier: 'front' } }));
    await sink.until('set web/a');
    expect(sink.sets[1]?.object.meta.labels.get('tier')).toBe('front');
  });

  test('to what cannot be used is refused with its faults, and used again when it is mended', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    await sink.until('synced');
    await api.watch('ingresses');
    api.put('Ingress', { ...ingress('a'), spec: { rules: 'none' }, status: { loadBalancer: {} } });
    await sink.until('refused web/a');
    const [refusal] = sink.refusals;
    expect(refusal?.status).toEqual({ loadBalancer: {} });
    expect(refusal?.identity).toEqual({ uid: sink.sets[0]?.object.meta.uid, generation: 2 });
    expect(refusal?.diagnostics.map(({ code, path }) => `${code} ${path}`)).toContain('SP1002 spec.rules');
    api.put('Ingress', ingress('a'));
    await sink.until('set web/a');
    api.put('Ingress', { ...ingress('a'), spec: {} });
    await sink.until('refused web/a');
    api.remove('Ingress', 'web/a');
    await sink.until('delete web/a');
  });

  test('of one uid is never taken back by an older version of it', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    await sink.until('synced');
    const watch = await api.watch('ingresses');
    const old = api.store.list('/apis/networking.k8s.io/v1/ingresses', '')[0];
    api.put('Ingress', ingress('a', { path: '/new' }));
    await sink.until('set web/a');
    watch.event('MODIFIED', old);
    watch.event('DELETED', old);
    api.put('Ingress', ingress('z'));
    expect(await sink.until('set web/z')).toEqual(['set web/z']);
  });

  test('of uid under one name is a new object', async () => {
    const { api, sink } = await start({ prepare: (server) => void server.put('Ingress', ingress('a')) });
    await sink.until('synced');
    const watch = await api.watch('ingresses');
    watch.stall();
    api.remove('Ingress', 'web/a');
    api.put('Ingress', ingress('a'));
    api.store.compact();
    watch.cut();
    expect(await sink.until('synced')).toEqual(['set web/a', 'synced']);
    const [first, second] = sink.sets.map(({ object }) => object.meta.uid);
    expect(second).not.toBe(first);
  });
});

describe('stop', () => {
  test('leaves nothing behind in the middle of a list, and tells nothing after', async () => {
    const page = Promise.withResolvers<void>();
    const { api, sink, reflector, metrics } = await start({
      tuning: { pageSize: 1 },
      prepare: (server) => {
        server.put('Ingress', ingress('a'));
        server.put('Ingress', ingress('b'));
        server.fault(
          { verb: 'list', times: 1, when: ({ query }) => query.has('continue') },
          { after: page.promise },
        );
      },
    });
    await sink.until('set web/a');
    await reflector.stop();
    page.resolve();
    expect(sink.rest()).toEqual([]);
    expect(metrics.objectCount).toBe(0);
    expect(api.watches.size).toBe(0);
  });

  test('ends a watch and a pause', async () => {
    const { api, sink, reflector, clock } = await start();
    await sink.until('synced');
    const watch = await api.watch('ingresses');
    await reflector.stop();
    await watch.closed;
    expect(clock.held).toEqual([]);
    expect(sink.rest()).toEqual([]);
  });

  test('twice is once', async () => {
    const { sink, reflector, metrics } = await start({
      prepare: (server) => void server.put('Ingress', ingress('a')),
    });
    await sink.until('synced');
    await Promise.all([reflector.stop(), reflector.stop()]);
    expect(metrics.objectCount).toBe(0);
  });
});
