import { afterEach, describe, expect, test } from '@jest/globals';
import { createCounterMemory, WorkerCounters } from './worker-counters.ts';
import { metricDeclarations, processMetrics, routeMetrics } from './metric-declarations.ts';
import { MetricRows } from './metric-rows.ts';
import { Metrics } from './metrics.ts';
import type { MeasuredRoute } from './route-labels.ts';
import { ReportingTotals } from './reporting-totals.ts';
import type { ReportingSources } from './reporting-totals.ts';
import { RowAllocator } from './row-allocator.ts';
import { WatchTotals } from './watch-totals.ts';

interface Exposition {
  readonly types: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
  /** Series with their labels as written → value. */
  readonly series: ReadonlyMap<string, number>;
}

const sampleLine = /^([a-z][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (\S+)$/;

/** Reads the text format and refuses what a strict scraper would: stray lines, scattered families, doubled series. */
function parse(text: string): Exposition {
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const series = new Map<string, number>();
  let family = '';
  for (const line of text.split('\n').filter((part) => part !== '')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      const seen = keyword === 'HELP' ? help : types;
      if (seen.has(name as string)) throw new Error(`Read ${line}: declared twice`);
      seen.set(name as string, rest as string);
      family = name as string;
      continue;
    }
    const [, sample, labels = '', value] = sampleLine.exec(line) ?? [];
    if (sample === undefined) throw new Error(`Read ${line}: not a sample`);
    const owner = types.get(family) === 'histogram' ? sample.replace(/_(bucket|sum|count)$/, '') : sample;
    if (owner !== family) throw new Error(`Read ${line}: outside its family`);
    if (series.has(sample + labels)) throw new Error(`Read ${line}: a second series`);
    series.set(sample + labels, Number(value));
  }
  return { types, help, series };
}

function route(index: number, services: readonly string[] = ['shop']): MeasuredRoute {
  return {
    id: `Ingress/team-a/r${index}/0.0`,
    hosts: ['shop.example', 'www.example'],
    path: { value: '/a"b\\c' },
    origin: { kind: 'Ingress', namespace: 'team-a', name: `r${index}`, service: services[0] ?? '' },
    action: {
      kind: 'forward',
      forward: {
        backends: services.map((service) => ({ upstream: `team-a/${service}:80`, role: 'stable' })),
      },
    },
  };
}

function reportingSample(): ReportingSources {
  const totals = new ReportingTotals();
  totals.statusWrite('Route', 'written');
  totals.event('merged');
  const objects = { kind: 'Route', condition: 'Accepted', status: 'True', objects: 1 };
  return { isLeader: () => true, totals, conditions: () => [objects] };
}

function watchingSample(): WatchTotals {
  const totals = new WatchTotals();
  totals.relisted('Ingress');
  totals.watchRestarted('Ingress', 'ended');
  totals.garbage('Ingress');
  totals.heard('Ingress');
  totals.objects('Ingress', 1);
  return totals;
}

class Bench {
  readonly rows = new RowAllocator({ workers: 2, maxRoutes: 5000 });
  readonly memories = [createCounterMemory(), createCounterMemory()];
  readonly counters = this.memories.map((memory) => new WorkerCounters(memory));
  readonly metrics = new Metrics({
    version: '1.2.3',
    rows: this.rows,
    counters: this.memories,
    logLinesDropped: () => 4,
    diagnostics: () => [
      { code: 'SP1001', severity: 'error' },
      { code: 'SP1001', severity: 'error' },
      { code: 'SP4251', severity: 'warning' },
    ],
    certificates: () => [{ namespace: 'team-a', secret: 'tls', seconds: 1_900_000_000 }],
    reporting: reportingSample(),
    watching: watchingSample(),
  });

  workerRows(worker: number): MetricRows {
    const rows = new MetricRows();
    for (const segment of this.rows.segments(worker)) rows.addSegment(segment);
    return rows;
  }

  async text(): Promise<string> {
    let text = '';
    for await (const piece of this.metrics.text()) text += piece;
    return text;
  }

  async scrape(): Promise<Exposition> {
    return parse(await this.text());
  }
}

/** Makes every declared family show at least one series. */
function exercise(bench: Bench): void {
  const first = bench.rows.publish(1, [route(0)], []).get('Ingress/team-a/r0/0.0') as number;
  for (const worker of [0, 1]) {
    const row = bench.workerRows(worker).row(first);
    row.record('GET', 200, 3, 2, 10, 1000);
    row.record('POST', 499, 20_000, -1, 5, 0);
    row.retried();
  }
  const [counters] = bench.counters as [WorkerCounters];
  counters.connectionOpened();
  counters.error('SP_NO_ROUTE');
  counters.handshakeDone({ version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', resumed: true, ms: 3 });
  counters.handshakeFailed('timeout');
  counters.requestVersion('HTTP/1.1');
  counters.http2Client.goawaySent(0);
  counters.http2Client.resetReceived(8);
  counters.http2Client.limitReached('reset');
  counters.tunnelOpened('connect');
  counters.tunnelClosed('connect', 'client');
  counters.proxyHeader('v2');
  counters.proxyHeaderFailed('timeout');
  counters.clientCertificate('success');
  counters.upstreamHandshakeDone(true);
  counters.upstreamHandshakeFailed('name');
  counters.linked(7, 3);
  counters.collectedGarbage('minor', 0.5);
  counters.sampled({
    p50Seconds: 0.001,
    p99Seconds: 0.002,
    maxSeconds: 0.5,
    utilizationRatio: 0.25,
    heapUsedBytes: 1e6,
  });
  bench.metrics.compiled(2);
  bench.metrics.linked(1);
  bench.metrics.changeLive(15);
  bench.metrics.workerRestarted();
}

const labelsOfRoute =
  'route="Ingress/team-a/r0/0.0",kind="Ingress",namespace="team-a",object="r0",host="shop.example",path="/a\\"b\\\\c",service="shop",role="stable"';

describe('metrics', () => {
  let bench = new Bench();
  afterEach(() => {
    bench = new Bench();
  });

  test('what is declared is what is exposed, with type, help and labels', async () => {
    exercise(bench);
    const { types, help, series } = await bench.scrape();
    const own = [...types.keys()].filter((name) => name.startsWith('sallyport_'));
    expect(own.toSorted()).toEqual(metricDeclarations.map(({ name }) => name).toSorted());
    for (const declaration of metricDeclarations) {
      expect(types.get(declaration.name)).toBe(declaration.type);
      expect(help.get(declaration.name)).toBe(declaration.help);
      const sampleName = declaration.type === 'histogram' ? `${declaration.name}_count` : declaration.name;
      const sample = [...series.keys()].find((key) => key === sampleName || key.startsWith(`${sampleName}{`));
      const labels = [...(sample ?? '').matchAll(/([a-z_]+)="/g)].map((match) => match[1]);
      expect({ sample: sample !== undefined, labels }).toEqual({
        sample: true,
        labels: [...declaration.labels],
      });
    }
    const foreign = [...types.keys()].filter((name) => !/^(sallyport|process|nodejs)_/.test(name));
    expect(foreign).toEqual([]);
  });

  test('names are as OpenMetrics wants them', () => {
    for (const { name, type, help, labels } of metricDeclarations) {
      expect(name).toMatch(/^sallyport(_[a-z]+[0-9]?)+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(bucket|count|sum|created|milliseconds|ms|kilobytes)$/);
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(help).toMatch(/^[^\n\\]+\.$|^Always 1/);
      for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    }
  });

  test('sums rows over the workers', async () => {
    exercise(bench);
    const { series } = await bench.scrape();
    const value = (name: string, more = ''): unknown => series.get(`${name}{${labelsOfRoute}${more}}`);
    expect(value(routeMetrics.requests.name, ',method="GET",status="2xx"')).toBe(2);
    expect(value(routeMetrics.requests.name, ',method="POST",status="4xx"')).toBe(2);
    expect(value(routeMetrics.requests.name, ',method="PUT",status="2xx"')).toBeUndefined();
    expect(value(routeMetrics.responses.name, ',code="499"')).toBe(2);
    expect(value(`${routeMetrics.duration.name}_bucket`, ',le="0.0025"')).toBe(0);
    expect(value(`${routeMetrics.duration.name}_bucket`, ',le="0.005"')).toBe(2);
    expect(value(`${routeMetrics.duration.name}_bucket`, ',le="10"')).toBe(2);
    expect(value(`${routeMetrics.duration.name}_bucket`, ',le="+Inf"')).toBe(4);
    expect(value(`${routeMetrics.duration.name}_count`)).toBe(4);
    expect(value(`${routeMetrics.duration.name}_sum`)).toBeCloseTo(40.006, 6);
    expect(value(`${routeMetrics.upstream.name}_count`)).toBe(2);
    expect(value(routeMetrics.requestBytes.name)).toBe(30);
    expect(value(routeMetrics.responseBytes.name)).toBe(2000);
    expect(value(routeMetrics.retries.name)).toBe(2);
  });

  test('shows the process and the workers', async () => {
    exercise(bench);
    const { series } = await bench.scrape();
    expect(series.get(`${processMetrics.connectionsActive.name}{worker="0"}`)).toBe(1);
    expect(series.get(`${processMetrics.connectionsActive.name}{worker="1"}`)).toBe(0);
    expect(series.get(`${processMetrics.tableGeneration.name}{worker="0"}`)).toBe(7);
    expect(series.get(`${processMetrics.errors.name}{code="SP_NO_ROUTE"}`)).toBe(1);
    expect(series.has(`${processMetrics.errors.name}{code="SP_LOOP"}`)).toBe(false);
    expect(series.get(`${processMetrics.eventLoopDelay.name}{worker="0",quantile="1"}`)).toBe(0.5);
    expect(series.get(`${processMetrics.gcSeconds.name}{worker="0",kind="minor"}`)).toBe(0.5);
    expect(series.get(`${processMetrics.diagnostics.name}{code="SP1001",severity="error"}`)).toBe(2);
    expect(series.get(`${processMetrics.changeToLiveSeconds.name}_sum`)).toBe(0.015);
    expect(series.get(processMetrics.logLinesDropped.name)).toBe(4);
    expect(series.get(processMetrics.workersRestarted.name)).toBe(1);
  });

  test('backends of the same service and role are one series', async () => {
    const first = bench.rows.publish(1, [route(0, ['shop', 'shop'])], []).get(route(0).id) as number;
    const rows = bench.workerRows(1);
    rows.row(first).record('GET', 200, 1, 1, 0, 0);
    rows.row(first + 1).record('GET', 200, 1, 1, 0, 0);
    const { series } = await bench.scrape();
    expect(series.get(`${routeMetrics.requests.name}{${labelsOfRoute},method="GET",status="2xx"}`)).toBe(2);
  });

  test('requests that no route took have a series, routes without requests have none', async () => {
    bench.rows.publish(1, [route(0)], []);
    bench.workerRows(0).row(0).record('GET', 404, 1, -1, 0, 0);
    const { series } = await bench.scrape();
    const routes = [...series.keys()].flatMap((key) => /route="([^"]*)"/.exec(key)?.[1] ?? []);
    expect(new Set(routes)).toEqual(new Set(['none']));
  });

  test('a removed route is shown once more and then is gone', async () => {
    exercise(bench);
    bench.rows.publish(2, [], [route(0).id]);
    bench.rows.acknowledged(2);
    expect(await bench.text()).toContain('r0');
    expect(await bench.text()).not.toContain('r0');
  });

  test('a replaced worker goes on counting where the other ended, its gauges at 0', async () => {
    exercise(bench);
    const next = new WorkerCounters(bench.memories[0] as SharedArrayBuffer);
    next.connectionOpened();
    const { series } = await bench.scrape();
    expect(series.get(`${processMetrics.connections.name}{worker="0"}`)).toBe(2);
    expect(series.get(`${processMetrics.connectionsActive.name}{worker="0"}`)).toBe(1);
    expect(series.get(`${processMetrics.tableGeneration.name}{worker="0"}`)).toBe(0);
  });

  test('what was written to a cluster is counted by what came of it', async () => {
    const { series } = await bench.scrape();
    expect(Object.fromEntries(series)).toMatchObject({
      sallyport_kube_leader: 1,
      'sallyport_kube_status_writes_total{kind="Route",result="written"}': 1,
      'sallyport_kube_events_total{result="merged"}': 1,
      'sallyport_object_conditions{kind="Route",condition="Accepted",status="True"}': 1,
    });
  });

  test('a large exposition comes in pieces and lets other work run in between', async () => {
    const routes = Array.from({ length: 2000 }, (_, index) => route(index));
    const firsts = bench.rows.publish(1, routes, []);
    const rows = bench.workerRows(0);
    for (const first of firsts.values()) rows.row(first).record('GET', 200, 3, 2, 10, 1000);
    let turns = 0;
    let scraping = true;
    const turn = (): void => {
      turns++;
      if (scraping) setImmediate(turn);
    };
    setImmediate(turn);
    const pieces: string[] = [];
    for await (const piece of bench.metrics.text()) pieces.push(piece);
    scraping = false;
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(80 * 1024);
    expect(turns).toBeGreaterThan(pieces.length / 2);
    const { series } = parse(pieces.join(''));
    expect([...series.keys()].filter((key) => key.startsWith(`${routeMetrics.requests.name}{`))).toHaveLength(
      2000,
    );
  });
});
