import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ApiConnection } from './api-connection.ts';
import { findProgram } from './assets.ts';
import type { Program } from './assets.ts';
import { auditPolicy } from './audit-log.ts';
import { OwnedProcess } from './owned-process.ts';
import { reservePort } from './reserved-port.ts';
import type { ReservedPort } from './reserved-port.ts';

const startLimitMs = 60_000;
const pollEveryMs = 25;

/** kube-apiserver and etcd of their own, in a folder of their own. RBAC decides; every request is in the audit log. */
export class ControlPlane {
  readonly url: string;
  readonly token: string;
  readonly auditFile: string;
  readonly #folder: string;
  readonly #port: ReservedPort;
  readonly #flags: readonly string[];
  #etcd: OwnedProcess | undefined;
  #apiServer: OwnedProcess | undefined;

  private constructor(folder: string, port: ReservedPort, flags: readonly string[]) {
    this.#folder = folder;
    this.#port = port;
    this.#flags = flags;
    this.url = `https://127.0.0.1:${port.port}`;
    this.token = randomBytes(16).toString('hex');
    this.auditFile = join(folder, 'audit.log');
  }

  /** Starts both in a folder that exists; `flags` go to the API server after ours. */
  static async start(folder: string, flags: readonly string[] = []): Promise<ControlPlane> {
    const plane = new ControlPlane(folder, await reservePort(), flags);
    try {
      await plane.#writeFiles();
      plane.#startEtcd();
      await plane.startApiServer();
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return plane;
  }

  /** The authority of the API server's certificate, PEM. It stays the same over restarts. */
  ca(): Promise<string> {
    return readFile(join(this.#folder, 'certificates/apiserver.crt'), 'utf8');
  }

  /** Resolves when `/readyz` says ok. Does nothing when it runs. */
  async startApiServer(): Promise<void> {
    if (this.#apiServer?.running === true) return;
    this.#apiServer = this.#run('kube-apiserver', [
      `--secure-port=${this.#port.port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      // There is no node that the Service `kubernetes` could lead to.
      '--endpoint-reconciler-type=none',
      `--etcd-servers=unix://${this.#socket('client')}`,
      `--cert-dir=${join(this.#folder, 'certificates')}`,
      `--token-auth-file=${join(this.#folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(this.#folder, 'service-account.pem')}`,
      `--service-account-signing-key-file=${join(this.#folder, 'service-account.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      // It would wait for a controller that makes the ServiceAccount `default` of each namespace.
      '--disable-admission-plugins=ServiceAccount',
      `--audit-log-path=${this.auditFile}`,
      `--audit-policy-file=${join(this.#folder, 'audit-policy.json')}`,
      '--audit-log-mode=blocking',
      ...this.#flags,
    ]);
    await this.#ready(this.#apiServer);
  }

  /** Kills the API server, as a crash would. */
  async stopApiServer(): Promise<void> {
    await this.#apiServer?.kill();
  }

  /** The API server keeps its connections and says nothing more, until `resumeApiServer`. */
  async pauseApiServer(): Promise<void> {
    await this.#apiServer?.signal('SIGSTOP');
  }

  async resumeApiServer(): Promise<void> {
    await this.#apiServer?.signal('SIGCONT');
  }

  /** Kills etcd, starts it again with its data and waits until the API server is ready again. */
  async restartEtcd(): Promise<void> {
    await this.#etcd?.kill();
    this.#startEtcd();
    if (this.#apiServer?.running === true) await this.#ready(this.#apiServer);
  }

  /** Copies the data of etcd, which restarts for it. The copy before is replaced. */
  async backUp(): Promise<void> {
    const copy = join(this.#folder, 'etcd-backup');
    await this.#etcd?.kill();
    await rm(copy, { recursive: true, force: true });
    await cp(join(this.#folder, 'etcd'), copy, { recursive: true });
    this.#startEtcd();
    if (this.#apiServer?.running === true) await this.#ready(this.#apiServer);
  }

  /** Puts the copy in place of the data, with nothing running meanwhile. It is used up by that. */
  async restore(): Promise<void> {
    const data = join(this.#folder, 'etcd');
    await this.#apiServer?.kill();
    await this.#etcd?.kill();
    await rm(data, { recursive: true });
    await rename(join(this.#folder, 'etcd-backup'), data);
    this.#startEtcd();
    await this.startApiServer();
  }

  async stop(): Promise<void> {
    await this.#apiServer?.kill();
    await this.#etcd?.kill();
    await this.#port.release();
  }

  #startEtcd(): void {
    // The only member: nobody calls it at its peer address, and it has no TCP port at all.
    const nowhere = 'http://127.0.0.1:1';
    this.#etcd = this.#run('etcd', [
      `--data-dir=${join(this.#folder, 'etcd')}`,
      `--listen-client-urls=unix://${this.#socket('client')}`,
      `--listen-peer-urls=unix://${this.#socket('peer')}`,
      `--advertise-client-urls=${nowhere}`,
      `--initial-advertise-peer-urls=${nowhere}`,
      `--initial-cluster=default=${nowhere}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ]);
  }

  async #writeFiles(): Promise<void> {
    await mkdir(join(this.#folder, 'logs'), { recursive: true });
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'prime256v1',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
    });
    await this.#write('service-account.pem', publicKey);
    await this.#write('service-account.key', privateKey);
    await this.#write('tokens.csv', `${this.token},admin,admin,"system:masters"\n`);
    await this.#write('audit-policy.json', JSON.stringify(auditPolicy));
    await this.#write('audit.log', '');
  }

  #write(name: string, text: string): Promise<void> {
    return writeFile(join(this.#folder, name), text, { mode: 0o600 });
  }

  #run(program: Program, args: readonly string[]): OwnedProcess {
    const file = findProgram(program);
    if (file === undefined) throw new Error(`start ${program}: it is not built, want 'make envtest' first`);
    return new OwnedProcess(file, args, join(this.#folder, 'logs', `${program}.log`));
  }

  /** A path of at most 107 bytes, as sockets want it. */
  #socket(name: 'client' | 'peer'): string {
    return join(this.#folder, `${name}.sock`);
  }

  async #ready(apiServer: OwnedProcess): Promise<void> {
    const deadline = performance.now() + startLimitMs;
    let answer = 'nothing';
    while (apiServer.running && performance.now() < deadline) {
      answer = await this.#readyz();
      if (answer === 'ok') return;
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
    const state = apiServer.running ? `it answered '${answer}' for ${startLimitMs} ms` : 'it ended';
    const tails = [apiServer, this.#etcd].map((one) =>
      one === undefined ? '' : `\n${one.logFile}:\n${one.tail()}`,
    );
    throw new Error(`start kube-apiserver: ${state}, want it ready${tails.join('')}`);
  }

  async #readyz(): Promise<string> {
    // It makes its certificate when it starts for the first time.
    if (!existsSync(join(this.#folder, 'certificates/apiserver.key'))) return 'nothing';
    const connection = new ApiConnection({ url: this.url, ca: await this.ca(), token: this.token });
    try {
      const signal = AbortSignal.timeout(2000);
      const { body } = await connection.call('GET', '/readyz', { signal });
      if (body !== 'ok') return String(body);
      // Answered from etcd, which its own check may not have missed yet.
      const { status } = await connection.call('GET', '/api/v1/namespaces/default', { signal });
      return status === 200 ? 'ok' : `status ${status} for a namespace`;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await connection.close();
    }
  }
}
