// Steps that put TLS, HTTP/2, gRPC, WebSockets and certificates of clients to use, as an operator meets them. The backend
// (pod/backend.ts) runs from the image of Sallyport, so nothing but that image is needed.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { TestPair } from '../support/certificates.ts';
import { TestAuthority } from '../support/test-authority.ts';
import { attempt, run, say, until, want } from './cluster-tools.ts';
import type { Answer } from './pod/call.ts';
import type { Seen } from './pod/backend.ts';
import type { Scene, Step } from './scene.ts';
import { ownNamespace, programSpec } from './traffic-agent.ts';
import type { Address } from './traffic-agent.ts';
import { rollUnderLoad } from './under-load.ts';

const here = ['-n', ownNamespace];
const servers = TestAuthority.root('e2e servers');
const members = TestAuthority.root('e2e members');
const backends = TestAuthority.root('e2e backends');
const webHosts = ['web', 'members', 'grpc', 'inner', 'chat', 'misspelt', 'closed'].map(
  (name) => `${name}.e2e.example`,
);

/** In this order: the first makes what the others use. */
export const edgeProtocolSteps: readonly Step[] = [
  { title: 'Edge protocols: serve HTTPS and HTTP/2 by a Secret', act: serveHttps },
  { title: 'Edge protocols: change the certificate under load', act: changeCertificate },
  { title: 'Edge protocols: ask clients for certificates', act: askForCertificates },
  { title: 'Edge protocols: speak gRPC, and HTTP/2 over TLS, with backends', act: speakWithBackends },
  { title: 'Edge protocols: keep WebSockets through changes', act: keepWebSockets },
  {
    title: 'Edge protocols: roll Sallyport under HTTPS and HTTP/2',
    act: (scene) => rollUnderLoad(scene, at('web'), ['sallyport', 'deployment/sallyport']),
  },
  { title: 'Edge protocols: read what was refused', act: readRefusals },
];

function at(name: string, path = '/'): Address {
  return { host: `${name}.e2e.example`, path, tls: { ca: servers.certificate } };
}

function serverPair(names: readonly string[], authority = servers): TestPair {
  return authority.client(names[0], { names, purposes: ['server'] });
}

function serialOf({ certificate }: TestPair): string {
  return new X509Certificate(certificate).serialNumber;
}

function secret(name: string, { certificate, key }: TestPair, ca?: string): unknown {
  const data = { 'tls.crt': certificate, 'tls.key': key, ...(ca === undefined ? {} : { 'ca.crt': ca }) };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/tls',
    stringData: data,
  };
}

function authoritySecret(name: string, { certificate }: TestAuthority): unknown {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { 'ca.crt': certificate } };
}

function backend(image: string): unknown {
  const spec = programSpec(image, 'backend', 8080);
  const [container] = spec.containers;
  const template = {
    metadata: { labels: { app: 'backend' } },
    spec: {
      ...spec,
      containers: [
        {
          ...container,
          volumeMounts: [...(container?.volumeMounts ?? []), { name: 'tls', mountPath: '/tls' }],
        },
      ],
      volumes: [...spec.volumes, { name: 'tls', secret: { secretName: 'backend-tls' } }],
    },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'backend' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'backend' } }, template },
  };
}

async function apply({ kubectl }: Scene, ...items: readonly unknown[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await run(kubectl, [...here, 'apply', '-f', '-'], { input });
}

function fileOf(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}

/** Asks until the status is the wanted one. */
async function meet(
  { agent }: Scene,
  what: string,
  ask: (agent: Scene['agent']) => Promise<Answer>,
  status: number,
): Promise<Answer> {
  const isWanted = (answer: Answer | string): boolean =>
    typeof answer !== 'string' && answer.status === status;
  const { answer, ms } = await until(
    `${what}: ${status}`,
    () => ask(agent).catch((error: unknown) => (error as Error).message),
    isWanted,
    20_000,
  );
  say(`${what} → ${status} after ${ms} ms`);
  return answer as Answer;
}

async function serveHttps(scene: Scene): Promise<void> {
  const { kubectl, agent, image } = scene;
  const pair = serverPair(webHosts);
  const inner = serverPair([`secure.${ownNamespace}.svc`], backends);
  await apply(
    scene,
    secret('web-tls', pair),
    secret('backend-tls', inner, members.certificate),
    secret('sallyport-client', members.client('sallyport')),
    authoritySecret('backend-ca', backends),
    authoritySecret('members-ca', members),
    backend(image),
  );
  await run(kubectl, [...here, 'apply', '-f', '-'], { input: fileOf('edge-protocols.yaml') });
  await run(kubectl, [...here, 'rollout', 'status', 'deployment/backend', '--timeout=90s']);

  for (const version of ['1.1', '2'] as const) {
    const { body, serial } = await meet(
      scene,
      `https://web.e2e.example/ over HTTP/${version}`,
      () => agent.call(at('web'), {}, version),
      200,
    );
    want(serial === serialOf(pair), `the certificate is the one of the Secret, serial number ${serial}`);
    const { headers } = JSON.parse(body) as Seen;
    want(
      headers['x-forwarded-proto'] === 'https',
      `the backend is told of ${String(headers['x-forwarded-proto'])}`,
    );
  }
  const { headers } = await meet(
    scene,
    'http://web.e2e.example/a',
    () => agent.call({ host: 'web.e2e.example', path: '/a' }),
    308,
  );
  want(headers.location === 'https://web.e2e.example/a', `it redirects to ${headers.location}`);
}

async function changeCertificate(scene: Scene): Promise<void> {
  const { agent } = scene;
  const pairs = [1, 2, 3].map(() => serverPair(webHosts));
  const { lost, ...report } = await agent.load(at('web'), async () => {
    await until(
      'the load has begun',
      () => agent.serialsOfLoad(),
      (serials) => serials.length > 0,
    );
    for (const pair of pairs) {
      await apply(scene, secret('web-tls', pair));
      const { ms } = await until(
        'clients see the new certificate',
        () => agent.serialsOfLoad(),
        (serials) => serials.includes(serialOf(pair)),
      );
      say(`seen after ${ms} ms`);
    }
  });
  for (const line of lost.slice(0, 10)) say(line);
  want(
    lost.length === 0 && report.serials.length === 1 + pairs.length,
    `${report.ok} of ${report.sent} requests answered, ${lost.length} lost, ${report.serials.length} certificates seen`,
  );
  for (const version of ['1.1', '2'] as const) {
    const { serial } = await agent.call(at('web'), {}, version);
    want(
      serial === serialOf(pairs.at(-1) as TestPair),
      `a new connection over HTTP/${version} gets the last one`,
    );
  }
}

async function askForCertificates(scene: Scene): Promise<void> {
  const { kubectl } = scene;
  const shows = ({ certificate, key }: TestPair): Address => ({
    ...at('members'),
    tls: { ca: servers.certificate, certificate, key },
  });
  const alice = shows(members.client('alice'));
  const stranger = shows(TestAuthority.root('e2e strangers').client('alice'));
  await meet(scene, 'a client without a certificate', (agent) => agent.call(at('members')), 400);
  await meet(scene, 'one of another authority', (agent) => agent.call(stranger), 400);
  for (const version of ['1.1', '2'] as const) {
    const { body } = await meet(
      scene,
      `one of the authority, over HTTP/${version}`,
      (agent) => agent.call(alice, {}, version),
      200,
    );
    const { headers } = JSON.parse(body) as Seen;
    want(
      headers['ssl-client-subject-dn'] === 'CN=alice' && headers['ssl-client-verify'] === 'SUCCESS',
      `the backend is told of ${String(headers['ssl-client-subject-dn'])}, ${String(headers['ssl-client-verify'])}`,
    );
  }
  await run(kubectl, [...here, 'delete', 'secret', 'members-ca']);
  await meet(scene, 'the same without the Secret', (agent) => agent.call(alice), 403);
  const { answer } = await until(
    'an Event tells why',
    () => run(kubectl, [...here, 'events', '--for', 'ingress/members'], { quiet: true }),
    (text) => text.includes('members-ca'),
  );
  say(answer.trimEnd().split('\n').at(-1) ?? '');
  await apply(scene, authoritySecret('members-ca', members));
  await meet(scene, 'the same with the Secret again', (agent) => agent.call(alice), 200);
}

async function speakWithBackends(scene: Scene): Promise<void> {
  const { kubectl } = scene;
  const message = '\0\0\0\0\u0005hello';
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: message,
  };
  const said = await meet(
    scene,
    'e2e.Echo/Say of gRPC',
    (agent) => agent.call(at('grpc', '/e2e.Echo/Say'), request, '2'),
    200,
  );
  want(
    said.body === message && said.trailers['grpc-status'] === '0',
    `the message came back, grpc-status ${String(said.trailers['grpc-status'])}, ${String(said.trailers['grpc-message'])}`,
  );
  const unknown = await scene.agent.call(at('grpc', '/e2e.Other/Say'), request, '2');
  const { 'grpc-status': status, 'grpc-message': text } = { ...unknown.headers, ...unknown.trailers };
  want(
    unknown.status === 200 && status === '12',
    `another service: grpc-status ${String(status)}, ${String(text)}`,
  );

  const { body } = await meet(scene, 'HTTP/2 over TLS', (agent) => agent.call(at('inner')), 200);
  const { version, isTls, peer } = JSON.parse(body) as Seen;
  want(
    version === '2.0' && isTls && peer === 'sallyport',
    `the backend is asked over HTTP/${version}${isTls ? ' and TLS' : ''} by ${peer}`,
  );
  await apply(scene, authoritySecret('backend-ca', members));
  await meet(scene, 'the same with another authority', (agent) => agent.call(at('inner')), 502);
  await run(kubectl, [...here, 'delete', 'secret', 'backend-ca']);
  await meet(scene, 'the same without the Secret', (agent) => agent.call(at('inner')), 503);
  await apply(scene, authoritySecret('backend-ca', backends));
  await meet(scene, 'the same with the Secret again', (agent) => agent.call(at('inner')), 200);
}

async function keepWebSockets(scene: Scene): Promise<void> {
  const { kubectl, agent } = scene;
  await meet(scene, 'https://chat.e2e.example/', () => agent.call(at('chat')), 200);
  const changes = 10;
  const { opened, echoed, broken } = await agent.tunnels(at('chat'), 8, async (look) => {
    for (let index = 0; index < changes; index++) {
      const annotation = `nginx.ingress.kubernetes.io/proxy-read-timeout=${60 + index}`;
      await run(kubectl, [...here, 'annotate', 'ingress', 'chat', '--overwrite', annotation], {
        quiet: true,
      });
      await run(kubectl, [...here, 'scale', 'deployment/backend', `--replicas=${1 + (index % 2)}`], {
        quiet: true,
      });
    }
    say(`${changes} changes of its Ingress and of the number of its endpoints`);
    await run(kubectl, [...here, 'delete', 'ingress', 'chat']);
    await meet(scene, 'a new client', () => agent.call({ host: 'chat.e2e.example' }), 404);
    const { echoed: before } = await look();
    await until('messages still come back', look, (now) => now.echoed > before + 8);
  });
  for (const line of broken.slice(0, 10)) say(line);
  want(
    broken.length === 0 && opened === 8,
    `${opened} WebSockets stayed open, ${echoed} messages came back, ${broken.length} faults`,
  );
}

interface Conditions {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function readRefusals(scene: Scene): Promise<void> {
  const { kubectl } = scene;
  const unfit =
    '{"apiVersion":"sallyport.dev/v1alpha1","kind":"BackendPolicy","metadata":{"name":"unfit"},"spec":{"service":"plain","protocol":"Auto"}}';
  const { code, err } = await attempt(kubectl, [...here, 'apply', '-f', '-'], { input: unfit });
  want(code !== 0 && err.includes('tls'), 'the API server refuses a BackendPolicy that makes no sense');
  await run(kubectl, [...here, 'apply', '-f', '-'], { input: fileOf('refused.yaml') });
  await meet(scene, 'a Route whose authority is missing', (agent) => agent.call(at('closed')), 403);
  await meet(scene, 'an Ingress whose protection cannot be read', (agent) => agent.call(at('misspelt')), 403);

  const isFalse = (type: string, name: string): Promise<unknown> =>
    until(
      `${type} of ${name} is False`,
      async () =>
        JSON.parse(await run(kubectl, [...here, 'get', name, '-o', 'json'], { quiet: true })) as Conditions,
      ({ status }) =>
        status?.conditions?.some((condition) => condition.type === type && condition.status === 'False') ===
        true,
    );
  await isFalse('ResolvedRefs', 'route.sallyport.dev/closed');
  await isFalse('ResolvedRefs', 'backendpolicy.sallyport.dev/unread');
  await until(
    'Events tell of both annotations',
    () => run(kubectl, [...here, 'events', '--for', 'ingress/misspelt'], { quiet: true }),
    (text) => text.includes('auth-tls-match-cn') && text.includes('backend-protocol'),
  );
  const inPod = ['-n', 'sallyport', 'exec', 'deployment/sallyport', '--', 'sallyport'];
  const routes = await run(kubectl, [...inPod, 'routes', ...here]);
  want(/^route\/closed .* closed$/m.test(routes), 'the list of routes has it too');
  await run(kubectl, [...inPod, 'backends', ...here, '-o', 'wide']);
  await attempt(kubectl, [...inPod, 'explain', 'https://closed.e2e.example/']);
  await run(kubectl, [...here, 'describe', 'ingress', 'misspelt']);
  await run(kubectl, [...here, 'describe', 'route.sallyport.dev', 'closed']);
  await run(kubectl, [...here, 'describe', 'backendpolicy.sallyport.dev', 'unread']);
}
