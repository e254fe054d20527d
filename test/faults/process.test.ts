import type { RequestListener } from 'node:http';
import { join } from 'node:path';

import { afterEach, describe, expect, test } from '@jest/globals';
import { Load } from '../support/load.ts';
import { ProcessRig } from '../support/process-rig.ts';
import { RawClient } from '../support/raw-client.ts';
import { binary } from '../support/sallyport-process.ts';
import type { ProcessOptions } from '../support/sallyport-process.ts';

const hello = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
const stallingMain = join(import.meta.dirname, '../support/stalling-main.ts');

let rig: ProcessRig | undefined;

afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

async function start(flags: readonly string[] = [], options?: ProcessOptions): Promise<ProcessRig> {
  const serve: RequestListener = (_, response) => response.end('served');
  rig = await ProcessRig.start(serve, flags, options);
  return rig;
}

/** A connection that was served, undefined when it was refused. */
async function connectAndAsk(port: number): Promise<RawClient | undefined> {
  const client = await RawClient.connect(port);
  client.send(hello);
  const answered = client.response().then(({ status }) => status === 200);
  if (await answered.catch(() => false)) return client;
  client.close();
  return undefined;
}

describe('the limit on open files', () => {
  const command: [string, ...string[]] = ['sh', '-c', 'ulimit -n 256; exec "$0" "$@"', binary];

  test('refuses connections beyond it, loses none of those that are open, and accepts again when some close', async () => {
    const { port, metric } = bound(await start(['--access-log=false'], { command }));
    const open: RawClient[] = [];
    for (let i = 0; i < 300; i++) {
      // oxlint-disable-next-line no-await-in-loop -- the order of acceptance matters
      const client = await connectAndAsk(port);
      if (client !== undefined) open.push(client);
    }
    // 256 files less 64 for the process and 16 for each of two workers, half of them for clients.
    expect(open).toHaveLength(80);
    expect(await metric('sallyport_errors_total')).toBe(220);

    for (const client of open) client.send(hello);
    const again = await Promise.all(open.map(async (client) => (await client.response()).status));
    expect(new Set(again)).toEqual(new Set([200]));

    for (const client of open.splice(0, 20)) client.close();
    // A new connection meets a worker that has room as likely as one that has none.
    for (let tries = 0; open.length < 80; tries++) {
      expect(tries).toBeLessThan(400);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const client = await connectAndAsk(port);
      if (client !== undefined) open.push(client);
    }
    for (const client of open) client.close();
  });

  test('bounds a higher wish', async () => {
    const { sallyport } = await start(['--max-connections', '100000'], { command });
    expect(await sallyport.logged(({ msg }) => String(msg).startsWith('fewer connections'))).toMatchObject({
      wanted: 100_000,
      connections: 80,
    });
  });
});

describe('a reader of standard output that stops', () => {
  test('costs log lines, which are counted, and no request; lines stay whole', async () => {
    const { port, sallyport, metric } = bound(await start());
    sallyport.child.stdout?.pause();
    // An access-log line is longer than its path, and the writer keeps 4 MiB: most of these cannot be kept.
    const path = `/${'x'.repeat(2000)}`;
    const load = await Load.start(port, 8, `GET ${path} HTTP/1.1\r\nHost: a.example`);
    await load.more(4000);
    const reports = await load.stop();
    expect(reports.flatMap(({ refused, lost }) => [...refused, lost])).toEqual(reports.map(() => undefined));
    const answers = reports.reduce((sum, report) => sum + report.answers, 0);
    expect(await metric('sallyport_log_lines_dropped_total')).toBeGreaterThan(1000);

    sallyport.child.stdout?.resume();
    const after = await Load.start(port, 1, 'GET /after HTTP/1.1\r\nHost: a.example');
    await sallyport.logged((line) => line['path'] === '/after');
    await after.stop();
    // Every line was parsed as it came, so none was cut or interleaved; each was written or counted.
    const written = (): number => sallyport.lines.filter((line) => line['path'] === path).length;
    const dropped = (): Promise<number> => metric('sallyport_log_lines_dropped_total');
    // oxlint-disable-next-line no-await-in-loop -- the last lines are on their way
    while (written() + (await dropped()) !== answers);
    expect(written()).toBeGreaterThan(100);
  });
});

describe('a main thread that stands still for five seconds', () => {
  test('does not stop the workers, and replaces none of them when it is back', async () => {
    const command: [string, ...string[]] = [process.execPath, stallingMain];
    const { port, sallyport, admin } = bound(await start([], { command }));
    const load = await Load.start(port, 8);
    sallyport.child.kill('SIGUSR2');
    await sallyport.said('stalled');
    const before = load.answers;
    await load.more(1000);
    expect(load.answers).toBeGreaterThanOrEqual(before + 1000);
    expect(sallyport.stderr).not.toContain('back');
    await sallyport.said('back');
    expect(await admin('/readyz')).toMatchObject({ status: 200 });
    await load.more(100);
    const reports = await load.stop();
    expect(reports.flatMap(({ refused, lost }) => [...refused, lost])).toEqual(reports.map(() => undefined));
    expect(sallyport.lines.filter(({ msg }) => msg === 'worker replaced')).toEqual([]);
  }, 60_000);
});

/** The rig's parts, its methods bound. */
function bound(started: ProcessRig) {
  const { port, sallyport } = started;
  return {
    port,
    sallyport,
    metric: (name: string) => started.metric(name),
    admin: (path: string) => started.admin(path),
  };
}
