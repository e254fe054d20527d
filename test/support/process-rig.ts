import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricSum } from './metric-sum.ts';
import { request } from './raw-client.ts';
import type { RawResponse } from './raw-client.ts';
import { Sallyport, ingress, services, smallFlags } from './sallyport-process.ts';
import type { ProcessOptions } from './sallyport-process.ts';

/** `sallyport run` with two workers as a process, in front of an upstream of this thread: `a.example` leads there. */
export class ProcessRig {
  readonly sallyport: Sallyport;
  readonly upstream: Server;
  readonly port: number;
  readonly adminPort: number;
  readonly #folder: string;

  private constructor(
    sallyport: Sallyport,
    upstream: Server,
    ports: readonly [number, number],
    folder: string,
  ) {
    this.sallyport = sallyport;
    this.upstream = upstream;
    [this.port, this.adminPort] = ports;
    this.#folder = folder;
  }

  static async start(
    serve: RequestListener,
    flags: readonly string[] = [],
    options: ProcessOptions = {},
  ): Promise<ProcessRig> {
    const upstream = createServer({ keepAliveTimeout: 0 }, serve);
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-rig-'));
    await writeFile(join(folder, 'services.yaml'), services((upstream.address() as AddressInfo).port));
    await writeFile(join(folder, 'ingress.yaml'), ingress('a.example'));
    const limits = ['--keep-alive-requests', '1000000000', '--drain-delay', '0'];
    const sallyport = new Sallyport(
      ['run', '--manifests', folder, ...smallFlags, ...limits, ...flags],
      options,
    );
    const port = await sallyport.live();
    const { adminPort } = (await sallyport.logged(({ msg }) => msg === 'started')) as { adminPort: number };
    return new ProcessRig(sallyport, upstream, [port, adminPort], folder);
  }

  /** A request on a connection of its own. */
  get(path: string): Promise<RawResponse> {
    return request(this.port, `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  }

  admin(path: string): Promise<RawResponse> {
    return request(this.adminPort, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  }

  /** The sum over a metric's series. */
  async metric(name: string): Promise<number> {
    const { body } = await this.admin('/metrics');
    return metricSum(body, name);
  }

  async stop(): Promise<void> {
    this.sallyport.child.kill('SIGKILL');
    this.sallyport.child.stdout?.resume();
    await this.sallyport.exited;
    this.upstream.closeAllConnections();
    this.upstream.close();
    await rm(this.#folder, { recursive: true });
  }
}
