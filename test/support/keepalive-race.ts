import { startProxy } from './data-plane-harness.ts';
import { RawClient } from './raw-client.ts';
import { RawUpstream, answer } from './raw-upstream.ts';

export interface RaceOptions {
  readonly method: 'GET' | 'POST';
  readonly requests: number;
  readonly connections: number;
}

/** What became of the requests of one run. */
export interface RaceFigures {
  readonly requests: number;
  /** Answered by their own upstream answer. */
  readonly answered: number;
  /** Answered 502. */
  readonly failed: number;
  /** Neither: no answer, a cut one, or another request's. */
  readonly wrong: number;
  /** Ids that the upstream has served more than once. */
  readonly doubled: number;
  /** Connections that the upstream closed at a moment of its own choice. */
  readonly closed: number;
}

/** Requests with ids of their own, while the upstream closes connections that it takes for idle, by FIN and by RST. */
export async function runKeepaliveRace(options: RaceOptions): Promise<RaceFigures> {
  const served = new Map<string, number>();
  let closed = 0;
  const upstream = await RawUpstream.start(({ target, body, connection }, socket) => {
    // Come too late: this end has said that it is closing, and does not serve what it reads any more.
    if (socket.writableEnded) return undefined;
    served.set(target, (served.get(target) ?? 0) + 1);
    upstream.requests.length = 0;
    upstream.bytes[connection] = '';
    if (Math.random() < 0.25) {
      const end = (): void => {
        if (socket.destroyed || socket.writableEnded) return;
        closed++;
        if (Math.random() < 0.5) socket.end();
        else socket.resetAndDestroy();
      };
      if (Math.random() < 0.5) setImmediate(end);
      else setTimeout(end, Math.random() * 3);
    }
    return answer(`${target} ${body}`);
  });
  const proxy = await startProxy([{ upstream: [upstream.port] }]);
  const counts = { answered: 0, failed: 0, wrong: 0 };
  let asked = 0;
  const ask = async (): Promise<void> => {
    let client = await RawClient.connect(proxy.port);
    while (asked < options.requests) {
      const id = `/${asked++}`;
      const outcome = await one(client, options.method, id);
      counts[outcome.kind]++;
      if (outcome.ends) {
        client.close();
        client = await RawClient.connect(proxy.port);
      }
    }
    client.close();
  };
  await Promise.all(Array.from({ length: options.connections }, ask));
  await proxy.stop();
  await upstream.stop();
  const doubled = [...served.values()].filter((count) => count > 1).length;
  return { requests: options.requests, ...counts, doubled, closed };
}

async function one(
  client: RawClient,
  method: RaceOptions['method'],
  id: string,
): Promise<{ kind: 'answered' | 'failed' | 'wrong'; ends: boolean }> {
  const body = method === 'POST' ? `body of ${id}` : '';
  const length = method === 'POST' ? `Content-Length: ${body.length}\r\n` : '';
  client.send(`${method} ${id} HTTP/1.1\r\nHost: a.example\r\n${length}\r\n${body}`);
  try {
    const response = await client.response();
    const ends = response.headers.get('connection') === 'close';
    if (response.status === 502) return { kind: 'failed', ends };
    const isOwn = response.status === 200 && response.body === `${id} ${body}`;
    return { kind: isOwn ? 'answered' : 'wrong', ends };
  } catch {
    return { kind: 'wrong', ends: true };
  }
}
