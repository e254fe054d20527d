import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startFakeApiServer } from '../../test/support/fake-api-server/fake-api-server.ts';
import type { FakeApiServer } from '../../test/support/fake-api-server/fake-api-server.ts';
import { PacedClock } from '../../test/support/paced-clock.ts';
import { createLog } from '../telemetry/log.ts';
import { createTransport } from './api-transport.ts';
import { ServiceAddresses } from './publish-address.ts';
import type { Transport } from './transport.ts';

let api: FakeApiServer;
let transport: Transport;
let addresses: ServiceAddresses;
let lines: string[];
let news: () => void;

beforeEach(async () => {
  api = await startFakeApiServer();
  transport = createTransport(api.access());
  lines = [];
  news = () => undefined;
  addresses = new ServiceAddresses({
    transport,
    service: 'edge/web',
    clock: new PacedClock(),
    log: createLog(
      {
        write: (line) => {
          lines.push((JSON.parse(line) as { msg: string }).msg);
          news();
        },
      },
      'info',
    ),
  });
  addresses.subscribe(() => news());
});

afterEach(async () => {
  await addresses.stop();
  await transport.close();
  await api.close();
});

/** Resolves when the addresses, or the log, are as wanted. */
async function until(isWanted: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one piece of news after the other
  while (!isWanted()) await new Promise<void>((resolve) => (news = resolve));
}

const web = (ip: string) => ({
  metadata: { name: 'web', namespace: 'edge' },
  spec: { type: 'LoadBalancer' },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

test('a Service is followed, and nothing is forgotten while it is gone', async () => {
  addresses.start();
  await until(() => lines.length === 1);
  expect(lines).toEqual(['--publish-service does not exist, status keeps its addresses']);
  expect(addresses.current()).toBeUndefined();
  api.put('Service', web('203.0.113.1'));
  await until(() => addresses.current()?.[0]?.ip === '203.0.113.1');
  api.put('Service', web('203.0.113.2'));
  await until(() => addresses.current()?.[0]?.ip === '203.0.113.2');
  api.remove('Service', 'edge/web');
  await until(() => lines.length === 2);
  expect(addresses.current()).toEqual([{ ip: '203.0.113.2' }]);
  expect(api.requestsOf('list', 'services')[0]?.query.get('fieldSelector')).toBe('metadata.name=web');
});

test('what cannot be read is said once, and read again', async () => {
  api.put('Service', web('203.0.113.1'));
  api.fault(
    { verb: 'list', plural: 'services', times: 3 },
    { answer: { status: 403, body: { message: 'no' } } },
  );
  addresses.start();
  await until(() => addresses.current() !== undefined);
  expect(lines).toEqual(['--publish-service cannot be read, status keeps its addresses']);
});

test('a watch that breaks is opened again', async () => {
  api.put('Service', web('203.0.113.1'));
  addresses.start();
  await api.watch('services');
  api.breakConnections();
  api.put('Service', web('203.0.113.2'));
  await until(() => addresses.current()?.[0]?.ip === '203.0.113.2');
});
