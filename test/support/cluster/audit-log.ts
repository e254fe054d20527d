import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** One request as the API server's audit log has it. */
export interface AuditEntry {
  /** `system:serviceaccount:NAMESPACE:NAME` for a ServiceAccount. */
  readonly user: string;
  /** As RBAC has them: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`. */
  readonly verb: string;
  /** '' for the core group, and for paths that are no resources. */
  readonly group: string;
  readonly resource: string;
  /** '' when there is none. */
  readonly subresource: string;
  /** '' for every namespace, and for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  /** The status of the answer; 0 for a watch whose head has not been sent. */
  readonly code: number;
  readonly uri: string;
  readonly userAgent: string;
  /** The token that was shown, as ServiceAccountAccess names it; '' when it has no name. */
  readonly credential: string;
  /** When it came, milliseconds since the epoch. */
  readonly atMs: number;
}

/** The part of audit.k8s.io/v1 Event that is read here. */
interface AuditEvent {
  readonly auditID: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: {
    readonly username: string;
    readonly extra?: Readonly<Record<string, readonly string[] | undefined>>;
  };
  readonly requestReceivedTimestamp: string;
  readonly userAgent?: string;
  readonly objectRef?: Readonly<Record<string, string | undefined>>;
  readonly responseStatus?: { readonly code?: number };
}

/** The lines of this file that the API server needs to write such a log. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

const pollEveryMs = 10;
const flushLimitMs = 10_000;

/** Who asked the API server for what, and what it answered. */
export class AuditLog {
  readonly #file: string;
  readonly #ask: (path: string) => Promise<unknown>;

  /** `ask` sends a GET to the API server that writes the file. */
  constructor(file: string, ask: (path: string) => Promise<unknown>) {
    this.#file = file;
    this.#ask = ask;
  }

  /**
   * Every request so far, in the order of the log, one entry a request; of one user when it is given. A request is in
   * it once it was answered, a watch once its head was sent.
   */
  async entries(user?: string): Promise<readonly AuditEntry[]> {
    const byId = new Map<string, AuditEvent>();
    for (const line of (await this.#flushed()).split('\n')) {
      if (line === '') continue;
      const event = JSON.parse(line) as AuditEvent;
      byId.set(event.auditID, event);
    }
    const entries = [...byId.values()].map(toEntry);
    return user === undefined ? entries : entries.filter((entry) => entry.user === user);
  }

  /** What a user was refused: nothing, when its Role says all that it needs. */
  async forbidden(user?: string): Promise<readonly AuditEntry[]> {
    return (await this.entries(user)).filter(({ code }) => code === 403);
  }

  /** An entry is written just after its answer: a request of our own tells that those before it are there. */
  async #flushed(): Promise<string> {
    const marker = randomUUID();
    await this.#ask(`/version?marker=${marker}`);
    const deadline = performance.now() + flushLimitMs;
    for (;;) {
      const text = await readFile(this.#file, 'utf8');
      const end = text.lastIndexOf('\n') + 1;
      if (text.includes(marker)) return text.slice(0, end);
      if (performance.now() > deadline) throw new Error(`read ${this.#file}: no entry of '${marker}' came`);
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  }
}

function toEntry({
  requestURI,
  verb,
  user,
  userAgent,
  objectRef = {},
  responseStatus,
  requestReceivedTimestamp,
}: AuditEvent): AuditEntry {
  return {
    user: user.username,
    verb,
    group: objectRef['apiGroup'] ?? '',
    resource: objectRef['resource'] ?? '',
    subresource: objectRef['subresource'] ?? '',
    namespace: objectRef['namespace'] ?? '',
    name: objectRef['name'] ?? '',
    code: responseStatus?.code ?? 0,
    uri: requestURI,
    userAgent: userAgent ?? '',
    credential: user.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '',
    atMs: Date.parse(requestReceivedTimestamp),
  };
}
