import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Answer, LoadReport } from './agent.ts';
import { run, until } from './cluster-tools.ts';

/** Namespace and pod of the agent. */
const namespace = 'sallyport-e2e';
const pod = 'agent';

export interface TrafficAgentOptions {
  readonly kubectl: string;
  /** An image that has Node 26 as `node`. */
  readonly image: string;
}

/** The pod that makes requests (agent.ts), reached through the API server. */
export class TrafficAgent {
  readonly #kubectl: string;
  /** Where Sallyport is reached from within the cluster; set when it is known. */
  url = '';

  private constructor(kubectl: string) {
    this.#kubectl = kubectl;
  }

  /** Resolves when it answers. */
  static async start({ kubectl, image }: TrafficAgentOptions): Promise<TrafficAgent> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects(image) };
    await run(kubectl, ['apply', '-f', '-'], { input: JSON.stringify(list) });
    await run(kubectl, ['-n', namespace, 'wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=60s']);
    const agent = new TrafficAgent(kubectl);
    await until(
      'the agent answers',
      () =>
        agent.#call('/', {}).then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    return agent;
  }

  get(host: string, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const query = { url: this.url + path, host, headers: JSON.stringify(headers) };
    return this.#call('/get', query) as Promise<Answer>;
  }

  /** How many of `count` requests each Service answered. */
  sample(host: string, count: number): Promise<Readonly<Record<string, number>>> {
    return this.#call('/sample', { url: `${this.url}/`, host, count: String(count) }) as Promise<
      Readonly<Record<string, number>>
    >;
  }

  /** Makes requests for as long as `during` takes. */
  async load(host: string, during: () => Promise<void>): Promise<LoadReport> {
    await this.#call('/start', { url: `${this.url}/`, host, clients: '16', pauseMs: '25' });
    try {
      await during();
    } catch (error) {
      await this.#call('/stop', {});
      throw error;
    }
    return this.#call('/stop', {}) as Promise<LoadReport>;
  }

  async #call(path: string, query: Readonly<Record<string, string>>): Promise<unknown> {
    const parameters = new URLSearchParams(query).toString();
    const address = `/api/v1/namespaces/${namespace}/pods/${pod}:9000/proxy${path}?${parameters}`;
    return JSON.parse(await run(this.#kubectl, ['get', '--raw', address], { quiet: true }));
  }
}

function objects(image: string): readonly unknown[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: pod, namespace },
      data: {
        'agent.ts': readFileSync(join(import.meta.dirname, 'agent.ts'), 'utf8'),
        'package.json': '{"type":"module"}',
      },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace }, spec: podSpec(image) },
  ];
}

function podSpec(image: string): unknown {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'agent',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '/agent/agent.ts'],
        readinessProbe: { httpGet: { path: '/', port: 9000 }, periodSeconds: 1 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'agent', mountPath: '/agent' }],
      },
    ],
    volumes: [{ name: 'agent', configMap: { name: pod } }],
  };
}
