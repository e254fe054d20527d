import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { createCompiler } from '../../src/compile/compiler.ts';
import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import { ControlLoop } from '../../src/control/loop.ts';
import type { Source } from '../../src/control/source.ts';
import { createTransport } from '../../src/kube/api-transport.ts';
import { ClusterSource } from '../../src/kube/cluster-source.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { watchPlan } from '../../src/kube/watch-plan.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { RouteTable } from '../../src/table/route-table.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startFakeApiServer } from '../support/fake-api-server/fake-api-server.ts';
import type { FakeApiServer } from '../support/fake-api-server/fake-api-server.ts';
import { tlsPairs } from '../support/tls-pairs.ts';

// The cluster source and the control loop together: what is published while Secrets are still being looked up.

let server: FakeApiServer;
let transport: Transport;
let source: Source;
let loop: ControlLoop;
let tables: RouteTable[];
let settled: Snapshot[];
let wake: () => void;

const metadata = { namespace: 'team', name: 'shop' };
const tls = {
  metadata,
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': btoa(tlsPairs.a.certificate), 'tls.key': btoa(tlsPairs.a.key) },
};

beforeEach(async () => {
  server = await startFakeApiServer();
  tables = [];
  settled = [];
  wake = () => undefined;
  transport = createTransport(server.access());
  loop = new ControlLoop({
    compiler: createCompiler(defaultCompileOptions),
    publisher: {
      publish: async (table) => {
        tables.push(table);
        wake();
        return { kind: 'live', generation: table.generation, linkMs: 0, stallMs: 0, closed: [] };
      },
    },
    observer: {
      compiled: () => undefined,
      compileFailed: (error) => {
        throw error;
      },
      published: () => undefined,
      settled: (snapshot) => {
        settled.push(snapshot);
        wake();
      },
    },
    fetch: (references) => source.fetch?.(references),
  });
  source = new ClusterSource({
    plan: watchPlan({
      watchNamespaces: undefined,
      namespaceSelector: false,
      ingressClassByName: false,
      defaultBackendService: undefined,
      defaultCertificate: undefined,
    }),
    createReflector: (scope, sink) => new Reflector({ transport, scope, sink }),
    onChange: ({ snapshot, changed }) => loop.update(snapshot, changed),
    log: createLog({ write: () => undefined }, 'silent'),
  });
  server.put('IngressClass', {
    metadata: { name: 'sallyport' },
    spec: { controller: 'sallyport.dev/ingress-controller' },
  });
  server.put('Service', { metadata, spec: { ports: [{ port: 80 }] } });
  server.put('Ingress', {
    metadata,
    spec: {
      ingressClassName: 'sallyport',
      tls: [{ hosts: ['a.example'], secretName: 'shop' }],
      rules: [
        {
          host: 'a.example',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'shop', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  });
});

afterEach(async () => {
  loop.stop();
  await source.stop();
  await transport.close();
  await server.close();
});

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) {
    // oxlint-disable-next-line no-await-in-loop -- one publication after the other
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

const certificates = (): readonly string[] => [...(tables.at(-1)?.certificates.keys() ?? [])];

test('the first table waits for its Secrets, however long they take', async () => {
  server.put('Secret', tls);
  const answer = Promise.withResolvers<void>();
  server.fault({ plural: 'secrets', verb: 'list', times: 1 }, { after: answer.promise });
  await source.start();
  await server.watch('services');
  await server.watch('ingresses');
  expect(tables).toEqual([]);
  answer.resolve();
  await until(() => settled.length > 0);
  expect(tables).toHaveLength(1);
  expect(certificates()).toHaveLength(1);
  expect(settled.at(-1)?.objects.Secret.has('team/shop')).toBe(true);
});

test('a Secret that is missing or refused does not keep the rest from being served, and is served once it is there', async () => {
  const take = server.fault({ plural: 'secrets' }, { answer: { status: 403, body: { message: 'no' } } });
  await source.start();
  await until(() => settled.length > 0);
  expect(tables).toHaveLength(1);
  expect(tables[0]?.routes.size).toBe(1);
  expect(certificates()).toEqual([]);
  take();
  server.remove('Ingress', 'team/shop');
  await until(() => tables.length > 1);
  server.put('Secret', tls);
  server.put('Ingress', {
    metadata,
    spec: {
      ingressClassName: 'sallyport',
      tls: [{ hosts: ['a.example'], secretName: 'shop' }],
      rules: [{ host: 'a.example' }],
      defaultBackend: { service: { name: 'shop', port: { number: 80 } } },
    },
  });
  await until(() => certificates().length > 0);
  expect(tables.at(-1)?.routes.size).toBe(1);
});
