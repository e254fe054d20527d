import { describe, expect, test } from '@jest/globals';
import { MemoryApi, answer } from '../../test/support/memory-api.ts';
import type { Journey } from '../../test/support/memory-api.ts';
import { ReportFeed, finding } from '../../test/support/report-feed.ts';
import { SimulatedTime } from '../../test/support/simulated-time.ts';
import { createLog } from '../telemetry/log.ts';
import { SoleLeader } from './leadership.ts';
import { EventRecorder } from './event-recorder.ts';

function harness() {
  const time = new SimulatedTime();
  const api = new MemoryApi(time);
  const feed = new ReportFeed();
  const leadership = new SoleLeader();
  const results: string[] = [];
  const lines: string[] = [];
  let journey: Journey = { thereMs: 2, backMs: 2 };
  const start = () =>
    new EventRecorder({
      transport: api.transport(() => journey),
      feed,
      leadership,
      reporter: { controller: 'sallyport.dev/ingress-controller', instance: 'pod-0' },
      metrics: { statusWrite: () => undefined, event: (result) => results.push(result) },
      log: createLog({ write: (text) => lines.push(text) }, 'warn'),
      clock: time.clock(),
      wallNow: () => Date.parse('2026-01-31T12:00:00Z') + time.nowMs,
    });
  const recorder = start();
  return {
    time,
    api,
    feed,
    leadership,
    results,
    lines,
    recorder,
    start,
    through: (next: Journey) => {
      journey = next;
    },
    say: (id: string, ...messages: string[]) =>
      recorder.changed(feed.say(id, { diagnostics: messages.map((message) => finding(id, message)) })),
    events: () => [...api.objects.values()],
    count: (result: string) => results.filter((one) => one === result).length,
  };
}

const shop = 'Ingress/team/shop';

describe('an Event', () => {
  test('says what is wrong with which object, and who says so', async () => {
    const { time, leadership, say, events, api } = harness();
    leadership.start();
    say(shop, 'Service "team/web" does not exist');
    await time.advance(10);
    expect(api.calls[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/team/events');
    expect(events()).toMatchObject([
      {
        metadata: { namespace: 'team', name: expect.stringMatching(/^shop\.[0-9a-f]{16}$/) },
        eventTime: '2026-01-31T12:00:00.000000Z',
        reportingController: 'sallyport.dev/ingress-controller',
        reportingInstance: 'pod-0',
        action: 'Compile',
        reason: 'BackendNotFound',
        type: 'Warning',
        note: expect.stringMatching(
          /^Service "team\/web" does not exist \(SP2101 at spec\)\. Create the Service/,
        ),
        regarding: {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          namespace: 'team',
          name: 'shop',
          uid: 'uid-team/shop',
        },
      },
    ]);
  });

  test('comes when a finding is new or says something else, not when it stays or goes', async () => {
    const { time, leadership, say, count } = harness();
    leadership.start();
    say(shop, 'one');
    say(shop, 'one');
    await time.advance(100);
    expect(count('written')).toBe(1);
    say(shop, 'one', 'two');
    await time.advance(100);
    expect(count('written')).toBe(2);
    say(shop);
    await time.advance(100);
    expect(count('written')).toBe(2);
  });

  test('counts a finding that comes up again', async () => {
    const { time, leadership, say, events, count } = harness();
    leadership.start();
    for (let round = 0; round < 4; round++) {
      say(shop, 'one');
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await time.advance(1000);
      say(shop);
    }
    expect(events()).toMatchObject([
      { series: { count: 4, lastObservedTime: '2026-01-31T12:00:03.000000Z' } },
    ]);
    expect([count('written'), count('merged')]).toEqual([1, 3]);
  });

  test('that expired is written anew', async () => {
    const { time, leadership, say, events, api, count } = harness();
    leadership.start();
    say(shop, 'one');
    await time.advance(100);
    api.objects.clear();
    say(shop);
    say(shop, 'one');
    await time.advance(100);
    expect(events()).toHaveLength(1);
    expect(events()[0]).not.toHaveProperty('series');
    expect(count('written')).toBe(2);
  });

  test('is not made of mere information, nor of what is not ours', async () => {
    const { time, leadership, feed, recorder, events } = harness();
    leadership.start();
    recorder.changed(feed.say(shop, { diagnostics: [finding(shop, 'no effect', 'SP4004')] }));
    recorder.changed(feed.say(shop, { owned: false, diagnostics: [finding(shop, 'theirs')] }));
    await time.advance(100);
    expect(events()).toEqual([]);
    recorder.changed(feed.say(shop, { owned: false, diagnostics: [finding(shop, 'no class', 'SP2001')] }));
    await time.advance(100);
    expect(events()).toMatchObject([{ reason: 'ClassNotFound' }]);
  });
});

describe('the leader', () => {
  test('alone writes; a new one does not repeat what the one before said', async () => {
    const { time, leadership, say, api, results } = harness();
    for (let index = 0; index < 200; index++) say(`Ingress/team/i${index}`, 'old');
    await time.advance(120_000);
    say(shop, 'one that came up while nobody led');
    await time.advance(14_000);
    expect(api.calls).toEqual([]);
    leadership.start();
    await time.advance(60_000);
    expect(results).toEqual(['written']);
  });

  test('that was started again writes no second Event', async () => {
    const { time, leadership, say, api, start, events, results } = harness();
    leadership.start();
    for (let index = 0; index < 20; index++) say(`Ingress/team/i${index}`, 'bad');
    await time.advance(10_000);
    expect(events()).toHaveLength(20);
    await leadership.stop();
    results.length = 0;
    start();
    leadership.start();
    await time.advance(60_000);
    expect(events()).toHaveLength(20);
    expect(results).toEqual([]);
    expect(api.calls.every(({ method }) => method === 'POST')).toBe(true);
  });
});

describe('limits', () => {
  test('5,000 bad objects: a burst, then ten a second, the rest dropped and counted', async () => {
    const { time, leadership, say, api, count } = harness();
    leadership.start();
    for (let index = 0; index < 5000; index++) say(`Ingress/team/i${index}`, 'bad');
    await time.advance(1000);
    expect(api.calls.length).toBeLessThanOrEqual(61);
    expect(api.calls.length).toBeGreaterThanOrEqual(50);
    await time.advance(600_000);
    expect(count('written') + count('dropped')).toBe(5000);
    expect(count('written')).toBeGreaterThanOrEqual(1000);
    expect(count('written')).toBeLessThan(1100);
  });

  test('a flood in one namespace takes no place of another', async () => {
    const { time, leadership, say, api, count } = harness();
    leadership.start();
    for (let index = 0; index < 5000; index++) say(`Ingress/flood/i${index}`, 'bad');
    say(shop, 'bad');
    await time.advance(1000);
    expect(api.calls.map(({ path }) => path)).toContain('/apis/events.k8s.io/v1/namespaces/team/events');
    await time.advance(600_000);
    expect(count('written') + count('dropped')).toBe(5001);
  });

  test('one object that changes its mind all the time', async () => {
    const { time, leadership, say, count } = harness();
    leadership.start();
    for (let round = 0; round < 300; round++) {
      say(shop, `text ${round}`);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await time.advance(1000);
    }
    expect(count('written')).toBe(25);
    expect(count('dropped')).toBe(275);
  });

  test('429 stops everything for as long as the API server wants', async () => {
    const { time, leadership, say, through, count } = harness();
    through({ answer: answer(429, {}, 30_000) });
    leadership.start();
    say(shop, 'one');
    await time.advance(29_000);
    through({});
    expect(count('written')).toBe(0);
    await time.advance(5000);
    expect(count('written')).toBe(1);
  });

  test('what the API server does not take is counted, and logged once', async () => {
    const { time, leadership, say, through, count, lines } = harness();
    through({ answer: answer(403, { message: 'no' }) });
    leadership.start();
    say(shop, 'one', 'two', 'three');
    await time.advance(10_000);
    expect(count('failed')).toBe(3);
    expect(lines).toHaveLength(1);
  });
});
