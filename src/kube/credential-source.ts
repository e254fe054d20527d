import type { ClusterAccess, ConnectionSettings, Credentials } from './cluster-access.ts';

/** Two looks for other credentials are at least this far apart: a plugin may ask a person, or take seconds. */
const renewPauseMs = 5_000;

export interface CredentialSourceOptions {
  readonly server: URL;
  readonly namespace: string | undefined;
  readonly origin: string;
  /** What to log in with now. `again`: the server refused what the last call of it gave. */
  readonly load: (again: boolean) => Promise<Credentials>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** Access whose credentials come from `load`: one look at a time, and the same object for as long as nothing changed. */
export function accessWith(options: CredentialSourceOptions): ClusterAccess {
  const { server, namespace, origin, load, now = () => performance.now() } = options;
  let current: Credentials | undefined;
  let loading: Promise<Credentials> | undefined;
  let loadingAgain = false;
  let renewedMs = Number.NEGATIVE_INFINITY;

  const begin = (again: boolean): Promise<Credentials> => {
    loadingAgain = again;
    const begun = load(again)
      .then((found) => (current = keepSame(current, found)))
      .finally(() => {
        if (loading === begun) loading = undefined;
      });
    loading = begun;
    return begun;
  };
  /** A look that is under way serves whoever asks for no more than it. */
  const look = (again: boolean): Promise<Credentials> => {
    if (loading === undefined) return begin(again);
    if (loadingAgain || !again) return loading;
    return loading.then(
      () => look(true),
      () => look(true),
    );
  };
  return {
    server,
    namespace,
    origin,
    credentials: () => look(false),
    renew: async (refused) => {
      const found = await look(false);
      if (found !== refused || now() - renewedMs < renewPauseMs) return found;
      renewedMs = now();
      return look(true);
    },
  };
}

function keepSame(known: Credentials | undefined, found: Credentials): Credentials {
  if (known === undefined) return found;
  const connection = sameConnection(known.connection, found.connection) ? known.connection : found.connection;
  const headers = sameHeaders(known.headers, found.headers);
  if (headers && connection === known.connection) return known;
  return { headers: found.headers, connection };
}

function sameHeaders(a: Credentials['headers'], b: Credentials['headers']): boolean {
  return a.length === b.length && a.every(([name, value], i) => b[i]?.[0] === name && b[i][1] === value);
}

function sameConnection(a: ConnectionSettings, b: ConnectionSettings): boolean {
  const names = Object.keys(a) as (keyof ConnectionSettings)[];
  return names.every((name) => a[name] === b[name]);
}
