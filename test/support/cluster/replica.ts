import { setTimeout as delay } from 'node:timers/promises';

import { eventually } from '../eventually.ts';
import { metricSum } from '../metric-sum.ts';
import { request } from '../raw-client.ts';
import type { RawResponse } from '../raw-client.ts';
import { Sallyport, smallFlags } from '../sallyport-process.ts';
import type { Line } from '../sallyport-process.ts';

export interface ReplicaOptions {
  readonly kubeconfig: string;
  /** `POD_NAME`, who it is in the election. */
  readonly pod: string;
  /** Go after ours, so that they win. */
  readonly flags?: readonly string[];
}

/** The namespace that manifests/ install into. */
export const ownNamespace = 'sallyport';

const probeLimitMs = 5000;

/** `bin/sallyport run` with two workers, reading a cluster. */
export class Replica {
  readonly pod: string;
  readonly process: Sallyport;
  readonly port: number;
  readonly adminPort: number;

  private constructor(pod: string, sallyport: Sallyport, [port, adminPort]: readonly [number, number]) {
    this.pod = pod;
    this.process = sallyport;
    this.port = port;
    this.adminPort = adminPort;
  }

  /** Resolves once the process has its ports, whatever it knows of the cluster. */
  static async start({ kubeconfig, pod, flags = [] }: ReplicaOptions): Promise<Replica> {
    const calm = ['--keep-alive-requests', '1000000000', '--drain-delay', '0', '--access-log=false'];
    const sallyport = new Sallyport(['run', '--kubeconfig', kubeconfig, ...smallFlags, ...calm, ...flags], {
      environment: { POD_NAME: pod, POD_NAMESPACE: ownNamespace },
    });
    const started = await sallyport.logged(({ msg }) => msg === 'started');
    return new Replica(pod, sallyport, [Number(started['port']), Number(started['adminPort'])]);
  }

  /** Resolves when the first table is live. */
  live(): Promise<Line> {
    return this.logged('table live');
  }

  /** The first line of the log with this message. */
  logged(message: string): Promise<Line> {
    return this.process.logged(({ msg }) => msg === message);
  }

  /** A request on a connection of its own. */
  get(host: string, path = '/'): Promise<RawResponse> {
    return request(this.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }

  /** Resolves with the first answer that fits; asks a new connection each time, so any worker may answer. */
  until(host: string, fits: (response: RawResponse) => boolean, path = '/'): Promise<RawResponse> {
    return eventually(() => this.get(host, path), fits);
  }

  admin(path: string): Promise<RawResponse> {
    return request(this.adminPort, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse((await this.admin(path)).body) as T;
  }

  /** The status of `/readyz`; 0 when nobody answers within the five seconds that the chart's probes wait. */
  async readiness(): Promise<number> {
    const answer = this.admin('/readyz').catch(() => undefined);
    const limit = new AbortController();
    const late = delay(probeLimitMs, undefined, { signal: limit.signal }).catch(() => undefined);
    const response = await Promise.race([answer, late]);
    limit.abort();
    return response?.status ?? 0;
  }

  /** The sum over a metric's series, or over those with this text among their labels. */
  async metric(name: string, label = ''): Promise<number> {
    const { body } = await this.admin('/metrics');
    return metricSum(body, name, label);
  }

  /** How often a table went live in this process. */
  get swaps(): number {
    return this.process.lines.filter(({ msg }) => msg === 'table live').length;
  }

  /** Asks it to end, and resolves with its exit code. */
  async terminate(): Promise<number | null> {
    this.process.child.kill('SIGTERM');
    return this.process.exited;
  }

  /** Resolves when the process is gone, as after a crash. */
  async kill(): Promise<void> {
    this.process.child.kill('SIGKILL');
    await this.process.exited;
  }
}
