import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import type { TestPair } from './certificates.ts';

export const binary = join(import.meta.dirname, '../../bin/sallyport');

/** Free ports on the loopback address, two workers. */
export const smallFlags: readonly string[] = [
  '--address=127.0.0.1',
  '--http-port=0',
  '--https-port=0',
  '--admin-port=0',
  '--workers=2',
];

export type Line = Readonly<Record<string, unknown>>;

export interface ProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** What is started with the arguments; `bin/sallyport` unless given. */
  readonly command?: readonly [string, ...string[]];
}

/** `sallyport run` as a process. */
export class Sallyport {
  readonly lines: Line[] = [];
  readonly child: ChildProcess;
  stderr = '';
  readonly exited: Promise<number | null>;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], options: ProcessOptions = {}) {
    const [command, ...before] = options.command ?? [binary];
    this.child = spawn(command, [...before, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    let rest = '';
    stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      // A process that is killed may leave a line without its end.
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as Line);
      for (const check of this.#waiting) check();
    });
    stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      for (const check of this.#waiting) check();
    });
    this.exited = new Promise((resolve) => this.child.once('close', (code) => resolve(code)));
  }

  /** The first log line that fits, or a rejection when the process ends without it. */
  logged(fits: (line: Line) => boolean): Promise<Line> {
    return this.#until(() => this.lines.find(fits));
  }

  /** Resolves when the process has written this to standard error. */
  async said(text: string): Promise<void> {
    await this.#until(() => (this.stderr.includes(text) ? true : undefined));
  }

  #until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        this.#waiting.delete(check);
        resolve(found);
      };
      this.#waiting.add(check);
      void this.exited.then(() => reject(new Error(`ended without that line: ${this.stderr}`)));
      check();
    });
  }

  /** Resolves with the traffic port when the first table is live. */
  async live(): Promise<number> {
    await this.logged(({ msg }) => msg === 'table live');
    return Number((await this.logged(({ msg }) => msg === 'started'))['port']);
  }
}

/** An IngressClass, and a Service `team/shop` with one endpoint on 127.0.0.1. */
export function services(port: number): string {
  return `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: sallyport }
spec: { controller: sallyport.dev/ingress-controller }
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: team }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: shop-1, namespace: team, labels: { kubernetes.io/service-name: shop } }
addressType: IPv4
endpoints: [{ addresses: [127.0.0.1] }]
ports: [{ name: http, port: ${port} }]
`;
}

/** A TLS Secret in `team`. */
export function tlsSecret(name: string, { certificate, key }: TestPair): string {
  return `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: team }
type: kubernetes.io/tls
data: { tls.crt: ${btoa(certificate)}, tls.key: ${btoa(key)} }
`;
}

export function opaqueSecret(name: string, values: Readonly<Record<string, Buffer>>): string {
  const data = Object.entries(values).map(([key, value]) => `'${key}': ${value.toString('base64')}`);
  return `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: team }
data: { ${data.join(', ')} }
`;
}

/** An Ingress that leads this host to `team/shop`. */
export function ingress(host: string): string {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop, namespace: team }
spec:
  ingressClassName: sallyport
  rules:
    - host: ${host}
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 80 } } } }
`;
}
