import { describe, expect, test } from '@jest/globals';
import { MemoryApi, answer } from '../../test/support/memory-api.ts';
import type { Journey } from '../../test/support/memory-api.ts';
import { ManualAddresses, ReportFeed, finding } from '../../test/support/report-feed.ts';
import { SimulatedTime } from '../../test/support/simulated-time.ts';
import { createLog } from '../telemetry/log.ts';
import { SoleLeader } from './leadership.ts';
import type { ReportedKind } from './status-feed.ts';
import { StatusWriter } from './status-writer.ts';
import type { ApiRequest } from './transport.ts';

const epochMs = Date.parse('2026-01-31T12:00:00Z');
const address = { ip: '203.0.113.7' };
const plurals = { Ingress: 'ingresses', Route: 'routes', BackendPolicy: 'backendpolicies' };

function pathOf(kind: ReportedKind, key: string): string {
  const [namespace = '', name = ''] = key.split('/');
  const group = kind === 'Ingress' ? 'networking.k8s.io/v1' : 'sallyport.dev/v1alpha1';
  return `/apis/${group}/namespaces/${namespace}/${plurals[kind]}/${name}`;
}

function harness({ isLastReplica }: { isLastReplica?: () => Promise<boolean> } = {}) {
  const time = new SimulatedTime();
  const api = new MemoryApi(time);
  const feed = new ReportFeed();
  const leadership = new SoleLeader();
  const addresses = new ManualAddresses([address]);
  const observed = new Map<string, unknown>();
  const results: string[] = [];
  const requests: ApiRequest[] = [];
  const lines: string[] = [];
  let journey: (request: ApiRequest) => Journey = () => ({ thereMs: 2, backMs: 2 });
  const writer = new StatusWriter({
    transport: api.transport((request) => {
      requests.push(request);
      return journey(request);
    }),
    feed,
    leadership,
    addresses,
    observedStatus: (kind, key) => observed.get(`${kind}/${key}`),
    metrics: { statusWrite: (kind, result) => results.push(`${kind} ${result}`), event: () => undefined },
    log: createLog({ write: (text) => lines.push(text) }, 'warn'),
    clock: time.clock(),
    wallNow: () => epochMs + time.nowMs,
    ...(isLastReplica === undefined ? {} : { isLastReplica }),
  });
  return {
    time,
    api,
    feed,
    leadership,
    addresses,
    writer,
    results,
    requests,
    lines,
    through: (next: (request: ApiRequest) => Journey) => {
      journey = next;
    },
    /** An object of this name exists. */
    exists: (kind: ReportedKind, key: string, status?: unknown) => {
      api.put(pathOf(kind, key), {
        metadata: { uid: `uid-${key}` },
        ...(status === undefined ? {} : { status }),
      });
      observed.set(`${kind}/${key}`, status);
    },
    status: (kind: ReportedKind, key: string) => api.objects.get(pathOf(kind, key))?.['status'],
    /** The watch tells what the API server has. */
    echo: (kind: ReportedKind, key: string) => {
      observed.set(`${kind}/${key}`, structuredClone(api.objects.get(pathOf(kind, key))?.['status']));
      writer.changed([{ kind, key }]);
    },
  };
}

describe('what is written', () => {
  test('addresses of an Ingress, once', async () => {
    const { time, feed, leadership, exists, status, requests, echo, results } = harness();
    exists('Ingress', 'team/shop');
    feed.say('Ingress/team/shop');
    leadership.start();
    await time.advance(100);
    expect(status('Ingress', 'team/shop')).toEqual({ loadBalancer: { ingress: [address] } });
    echo('Ingress', 'team/shop');
    await time.advance(5000);
    expect(results).toEqual(['Ingress written']);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/apis/networking.k8s.io/v1/namespaces/team/ingresses/shop/status',
      contentType: 'application/apply-patch+yaml',
      body: { metadata: { namespace: 'team', name: 'shop', uid: 'uid-team/shop' } },
    });
    expect(Object.fromEntries(requests[0]?.query ?? [])).toEqual({
      fieldManager: 'sallyport',
      force: 'true',
    });
  });

  test('conditions of a Route; one that stays keeps its time', async () => {
    const { time, feed, leadership, writer, exists, status, echo } = harness();
    exists('Route', 'team/shop');
    feed.say('Route/team/shop');
    leadership.start();
    await time.advance(100);
    const times = () =>
      (status('Route', 'team/shop') as { conditions: Record<string, unknown>[] }).conditions.map(
        ({ type, status: state, lastTransitionTime, observedGeneration }) =>
          [type, state, observedGeneration, lastTransitionTime].join(' '),
      );
    expect(times()).toEqual([
      'Accepted True 1 2026-01-31T12:00:00Z',
      'ResolvedRefs True 1 2026-01-31T12:00:00Z',
      'Programmed True 1 2026-01-31T12:00:00Z',
    ]);
    echo('Route', 'team/shop');
    await time.advance(60_000);
    const diagnostics = [finding('Route/team/shop', 'no such Service')];
    writer.changed(feed.say('Route/team/shop', { observedGeneration: 2, diagnostics }));
    await time.advance(100);
    expect(times()).toEqual([
      'Accepted True 2 2026-01-31T12:00:00Z',
      'ResolvedRefs False 2 2026-01-31T12:01:00Z',
      'Programmed True 2 2026-01-31T12:00:00Z',
    ]);
  });

  test('what was written to an object is not taken for the status of the next one of its name', async () => {
    const { time, api, feed, leadership, writer, status, results } = harness();
    const path = pathOf('Route', 'team/shop');
    api.put(path, { metadata: { uid: 'first' } });
    feed.say('Route/team/shop', { uid: 'first' });
    leadership.start();
    await time.advance(100);
    // Deleted and made anew before anybody looked: there was no status when the first was seen, and there is none now.
    api.put(path, { metadata: { uid: 'second' } });
    writer.changed(feed.say('Route/team/shop', { uid: 'second' }));
    await time.advance(2000);
    expect(results).toEqual(['Route written', 'Route written']);
    expect(status('Route', 'team/shop')).toMatchObject({ conditions: [{ type: 'Accepted' }, {}, {}] });
  });

  test('nothing by a replica that does not lead, everything once it does', async () => {
    const { time, feed, leadership, writer, exists, requests, status } = harness();
    for (const name of ['a', 'b', 'c']) exists('Ingress', `team/${name}`);
    writer.changed(['a', 'b', 'c'].flatMap((name) => feed.say(`Ingress/team/${name}`)));
    await time.advance(5000);
    expect(requests).toEqual([]);
    leadership.start();
    await time.advance(100);
    expect(status('Ingress', 'team/c')).toBeDefined();
    await leadership.stop();
    writer.changed(feed.say('Ingress/team/a', { uid: 'other' }));
    await time.advance(5000);
    expect(requests).toHaveLength(3);
  });

  test('nothing while addresses are not known; new ones of every Ingress', async () => {
    const { time, feed, leadership, addresses, exists, requests, status } = harness();
    exists('Ingress', 'team/a', { loadBalancer: { ingress: [{ hostname: 'old.example' }] } });
    feed.say('Ingress/team/a');
    addresses.set(undefined);
    leadership.start();
    await time.advance(5000);
    expect(requests).toEqual([]);
    addresses.set([{ hostname: 'new.example' }]);
    await time.advance(5000);
    expect(status('Ingress', 'team/a')).toEqual({ loadBalancer: { ingress: [{ hostname: 'new.example' }] } });
    addresses.set([]);
    await time.advance(5000);
    expect(status('Ingress', 'team/a')).toBeUndefined();
  });

  test('a call that is under way ends with the term', async () => {
    const { time, feed, leadership, exists, through, requests, lines } = harness();
    exists('Ingress', 'team/a');
    feed.say('Ingress/team/a');
    through(() => ({ lost: 'request' }));
    leadership.start();
    await time.advance(100);
    expect(requests[0]?.signal?.aborted).toBe(false);
    await leadership.stop();
    expect(requests[0]?.signal?.aborted).toBe(true);
    await time.advance(60_000);
    expect(requests).toHaveLength(1);
    expect(lines).toEqual([]);
  });
});

describe('how often', () => {
  test('at most once a second for an object that changes all the time, and the newest wins', async () => {
    const { time, feed, leadership, writer, exists, api, status } = harness();
    exists('Route', 'team/shop');
    leadership.start();
    for (let generation = 1; generation <= 500; generation++) {
      writer.changed(feed.say('Route/team/shop', { observedGeneration: generation }));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await time.advance(20);
    }
    await time.advance(1500);
    const times = api.calls.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(8);
    expect(times.length).toBeLessThanOrEqual(12);
    times.slice(1).forEach((atMs, index) => expect(atMs - (times[index] ?? 0)).toBeGreaterThanOrEqual(1000));
    expect(status('Route', 'team/shop')).toMatchObject({ conditions: [{ observedGeneration: 500 }, {}, {}] });
  });

  test('ten at a time', async () => {
    const { time, feed, leadership, exists, through, results } = harness();
    for (let index = 0; index < 95; index++) {
      exists('Ingress', `team/i${index}`);
      feed.say(`Ingress/team/i${index}`);
    }
    let running = 0;
    let most = 0;
    through(() => {
      most = Math.max(most, ++running);
      time.at(time.nowMs + 100, () => running--);
      return { thereMs: 50, backMs: 50 };
    });
    leadership.start();
    await time.advance(950);
    expect(most).toBe(10);
    await time.advance(100);
    expect(results).toHaveLength(95);
  });

  test('ever more rarely against somebody who keeps writing the same fields', async () => {
    const { time, feed, leadership, exists, api, echo } = harness();
    exists('Ingress', 'team/shop');
    feed.say('Ingress/team/shop');
    leadership.start();
    for (let second = 0; second < 300; second++) {
      api.put(pathOf('Ingress', 'team/shop'), {
        metadata: { uid: 'uid-team/shop' },
        status: { loadBalancer: { ingress: [{ ip: `192.0.2.${second % 250}` }] } },
      });
      echo('Ingress', 'team/shop');
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await time.advance(1000);
    }
    expect(api.calls.length).toBeGreaterThan(5);
    expect(api.calls.length).toBeLessThan(12);
  });
});

describe('when it does not work', () => {
  test('429 stops everything for as long as the API server wants', async () => {
    const { time, feed, leadership, exists, through, requests, results } = harness();
    for (const name of ['a', 'b', 'c']) {
      exists('Ingress', `team/${name}`);
      feed.say(`Ingress/team/${name}`);
    }
    through(() => ({ answer: answer(429, {}, 20_000) }));
    leadership.start();
    await time.advance(19_900);
    expect(requests).toHaveLength(3);
    through(() => ({}));
    await time.advance(5000);
    expect(results.filter((result) => result === 'Ingress written')).toHaveLength(3);
    expect(requests).toHaveLength(6);
  });

  test.each([403, 500, 'lost'] as const)(
    '%s is tried again ever more rarely, and logged once',
    async (status) => {
      const { time, feed, leadership, exists, through, requests, lines, results } = harness();
      exists('Ingress', 'team/a');
      feed.say('Ingress/team/a');
      through(() =>
        status === 'lost' ? { lost: 'request' } : { answer: answer(status, { message: 'no' }) },
      );
      leadership.start();
      await time.advance(600_000);
      expect(requests.length).toBeGreaterThan(5);
      expect(requests.length).toBeLessThan(25);
      expect(lines).toHaveLength(1);
      through(() => ({}));
      await time.advance(120_000);
      expect(results.at(-1)).toBe('Ingress written');
    },
  );

  test('an object that was replaced by another of its name is left alone until it is reported on', async () => {
    const { time, feed, leadership, exists, api, results, writer, status } = harness();
    exists('Route', 'team/a');
    feed.say('Route/team/a', { uid: 'the one before' });
    leadership.start();
    await time.advance(300);
    expect(results).toEqual(['Route gone']);
    expect(status('Route', 'team/a')).toBeUndefined();
    writer.changed(feed.say('Route/team/a'));
    await time.advance(3000);
    expect(results.at(-1)).toBe('Route written');
    api.objects.clear();
    writer.changed(feed.drop('Route', 'team/a'));
    const calls = api.calls.length;
    await time.advance(60_000);
    expect(api.calls).toHaveLength(calls);
  });
});

describe('taking back', () => {
  test('what was written, from an Ingress that is no longer ours', async () => {
    const { time, feed, leadership, writer, exists, status, echo, requests } = harness();
    exists('Ingress', 'team/a');
    feed.say('Ingress/team/a');
    leadership.start();
    await time.advance(100);
    echo('Ingress', 'team/a');
    writer.changed(feed.say('Ingress/team/a', { owned: false }));
    await time.advance(2000);
    expect(status('Ingress', 'team/a')).toBeUndefined();
    echo('Ingress', 'team/a');
    await time.advance(5000);
    expect(requests).toHaveLength(2);
  });

  test('what the leader before wrote, once, and nothing of anybody else', async () => {
    const { time, feed, leadership, exists, requests } = harness();
    exists('Ingress', 'team/ours', { loadBalancer: { ingress: [address] } });
    exists('Ingress', 'team/theirs', { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    exists('Route', 'team/theirs', { conditions: [{ type: 'Accepted', status: 'True' }] });
    feed.say('Ingress/team/ours', { owned: false });
    feed.say('Ingress/team/theirs', { owned: false });
    feed.say('Route/team/theirs', { owned: false, conditions: [] });
    leadership.start();
    await time.advance(60_000);
    expect(requests.map(({ path }) => path)).toEqual([`${pathOf('Ingress', 'team/ours')}/status`]);
  });

  test('every address, when the last replica stops', async () => {
    const { time, feed, leadership, exists, status, writer } = harness({
      isLastReplica: () => Promise.resolve(true),
    });
    for (const name of ['a', 'b']) {
      exists('Ingress', `team/${name}`);
      feed.say(`Ingress/team/${name}`);
    }
    exists('Route', 'team/r');
    feed.say('Route/team/r');
    leadership.start();
    await time.advance(100);
    const stopped = writer.stop();
    await time.advance(100);
    await stopped;
    expect(status('Ingress', 'team/a')).toBeUndefined();
    expect(status('Ingress', 'team/b')).toBeUndefined();
    expect(status('Route', 'team/r')).toMatchObject({ conditions: [{}, {}, {}] });
  });

  test.each([
    ['another replica runs', true, false],
    ['it does not lead', false, true],
  ])('no address when %s', async (_, leads, last) => {
    const { time, feed, leadership, exists, writer, requests } = harness({
      isLastReplica: () => Promise.resolve(last),
    });
    exists('Ingress', 'team/a', { loadBalancer: { ingress: [address] } });
    feed.say('Ingress/team/a');
    if (leads) leadership.start();
    await time.advance(100);
    await writer.stop();
    expect(requests).toEqual([]);
  });
});
