import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { run, until } from './cluster-tools.ts';
import type { Command } from './pod/agent.ts';
import type { Answer, Request, TlsClient } from './pod/call.ts';
import type { LoadReport } from './pod/load.ts';
import type { TunnelReport } from './pod/tunnels.ts';

/** Of the agent, and of what else the steps make for themselves. */
export const ownNamespace = 'sallyport-e2e';
/** The ConfigMap with what pods of that namespace run. */
export const programs = 'programs';
const pod = 'agent';

export interface TrafficAgentOptions {
  readonly kubectl: string;
  /** An image that has Node 26 as `node`. */
  readonly image: string;
}

/** What a request is sent to. */
export interface Address {
  readonly host: string;
  readonly path?: string;
  /** With it the request goes over TLS. */
  readonly tls?: TlsClient;
}

/** The pod that makes requests (pod/agent.ts), reached through the API server. */
export class TrafficAgent {
  readonly #kubectl: string;
  /** Where Sallyport is reached from within the cluster: a name or an address, set when it is known. */
  address = '';

  private constructor(kubectl: string) {
    this.#kubectl = kubectl;
  }

  /** Resolves when it answers. */
  static async start({ kubectl, image }: TrafficAgentOptions): Promise<TrafficAgent> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects(image) };
    await run(kubectl, ['apply', '-f', '-'], { input: JSON.stringify(list) });
    await run(kubectl, ['-n', ownNamespace, 'wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=60s']);
    const agent = new TrafficAgent(kubectl);
    const raw = ['get', '--raw', proxyPath('/')];
    await until('the agent answers', () => run(kubectl, raw, { quiet: true }).catch(() => ''), Boolean);
    return agent;
  }

  call(address: Address, request: Request = {}, version: '1.1' | '2' = '1.1'): Promise<Answer> {
    return this.#command('/call', { target: this.#target(address), request, version }) as Promise<Answer>;
  }

  /** How many of `count` requests each Service answered. */
  sample(host: string, count: number): Promise<Readonly<Record<string, number>>> {
    return this.#command('/sample', { target: this.#target({ host }), count }) as Promise<
      Readonly<Record<string, number>>
    >;
  }

  /** Makes requests for as long as `during` takes. */
  async load(address: Address, during: () => Promise<void>): Promise<LoadReport> {
    const command = { target: this.#target(address), count: 16, pauseMs: 25 };
    await this.#command('/load/start', command);
    try {
      await during();
    } catch (error) {
      await this.#command('/load/stop', command);
      throw error;
    }
    return this.#command('/load/stop', command) as Promise<LoadReport>;
  }

  /** Serial numbers of certificates that the load that runs has seen. */
  serialsOfLoad(): Promise<readonly string[]> {
    return this.#command('/load/serials', { target: this.#target({ host: '' }) }) as Promise<
      readonly string[]
    >;
  }

  /** Keeps WebSockets open, and a message under way on each, for as long as `during` takes. */
  async tunnels(
    address: Address,
    count: number,
    during: (look: () => Promise<TunnelReport>) => Promise<void>,
  ): Promise<TunnelReport> {
    const command = { target: this.#target(address), count };
    const ask = (path: string): Promise<TunnelReport> =>
      this.#command(path, command) as Promise<TunnelReport>;
    await ask('/tunnels/open');
    try {
      await during(() => ask('/tunnels/look'));
    } catch (error) {
      await ask('/tunnels/close');
      throw error;
    }
    return ask('/tunnels/close');
  }

  #target({ host, path = '/', tls }: Address): Command['target'] {
    const scheme = tls === undefined ? 'http' : 'https';
    return { url: `${scheme}://${this.address}${path}`, host, ...(tls === undefined ? {} : { tls }) };
  }

  async #command(path: string, command: Command): Promise<unknown> {
    const post = ['create', '--raw', proxyPath(path), '-f', '-'];
    return JSON.parse(await run(this.#kubectl, post, { quiet: true, input: JSON.stringify(command) }));
  }
}

function proxyPath(path: string): string {
  return `/api/v1/namespaces/${ownNamespace}/pods/${pod}:9000/proxy${path}`;
}

function objects(image: string): readonly unknown[] {
  const folder = join(import.meta.dirname, 'pod');
  const files = globSync('*.ts', { cwd: folder }).sort();
  const texts = files.map((file): [string, string] => [file, readFileSync(join(folder, file), 'utf8')]);
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: ownNamespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: programs, namespace: ownNamespace },
      data: { ...Object.fromEntries(texts), 'package.json': '{"type":"module"}' },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace: ownNamespace },
      spec: programSpec(image, pod, 9000),
    },
  ];
}

/** Of a pod that runs a program of `pod/`, as the restricted Pod Security Standard wants it. It is ready when the port answers. */
export function programSpec(image: string, program: string, port: number) {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 5,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: program,
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', `/programs/${program}.ts`],
        readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'programs', mountPath: '/programs' }],
      },
    ],
    volumes: [{ name: 'programs', configMap: { name: programs } }],
  };
}
