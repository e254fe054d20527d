// Runs in a pod of the cluster and makes requests for run.ts, which talks to it through the API server's proxy. This folder stands
// alone: it is mounted from a ConfigMap into the image of Sallyport, so it imports nothing but Node and itself.
import { Agent, createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { callHttp1, callHttp2, openHttp2 } from './call.ts';
import type { Answer, Request, Target } from './call.ts';
import { Load } from './load.ts';
import { Tunnels } from './tunnels.ts';

/** What is asked of the agent: a member of `commands` by its path, with this as the body. */
export interface Command {
  readonly target: Target;
  readonly request?: Request;
  readonly version?: '1.1' | '2';
  /** Of requests, clients or WebSockets. */
  readonly count?: number;
  readonly pauseMs?: number;
}

async function call({ target, request, version }: Command): Promise<Answer> {
  if (version !== '2') return callHttp1(target, request);
  const session = await openHttp2(target);
  try {
    return await callHttp2(session, target, request);
  } finally {
    session.destroy();
  }
}

/** How many of `count` requests each Service answered; a body without a name of a Service counts by its status. */
async function sample({ target, count = 0 }: Command): Promise<Readonly<Record<string, number>>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const answered = new Map<string, number>();
  const one = async (): Promise<void> => {
    const { status, body } = await callHttp1(target, {}, agent);
    const name = /(?:"service":\s*"|^Name: )([^"\n]+)/m.exec(body)?.[1] ?? `status ${status}`;
    answered.set(name, (answered.get(name) ?? 0) + 1);
  };
  for (let left = count; left > 0; left -= 50)
    await Promise.all(Array.from({ length: Math.min(left, 50) }, one));
  agent.destroy();
  return Object.fromEntries(answered);
}

let load: Load | undefined;
let tunnels: Tunnels | undefined;

function started<T>(what: T | undefined): T {
  if (what === undefined) throw new Error('stop or look: nothing was started');
  return what;
}

const commands = new Map<string, (command: Command) => unknown>([
  ['/call', call],
  ['/sample', sample],
  ['/load/start', ({ target, count = 0, pauseMs = 0 }) => void (load = new Load(target, count, pauseMs))],
  ['/load/serials', () => started(load).serials],
  ['/load/stop', () => started(load).stop()],
  ['/tunnels/open', async ({ target, count = 0 }) => (tunnels = await Tunnels.open(target, count)).report],
  ['/tunnels/look', () => started(tunnels).report],
  ['/tunnels/close', () => started(tunnels).close()],
]);

async function serve(incoming: IncomingMessage): Promise<unknown> {
  const command = commands.get(incoming.url ?? '');
  if (command === undefined) return { ready: true };
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return (await command(JSON.parse(Buffer.concat(chunks).toString()) as Command)) ?? {};
}

if (import.meta.main) {
  const server = createServer((incoming, outgoing) => {
    serve(incoming).then(
      (result) => outgoing.end(JSON.stringify(result)),
      (error: unknown) => outgoing.writeHead(500).end(JSON.stringify({ error: (error as Error).message })),
    );
  });
  server.listen(9000);
  process.once('SIGTERM', () => process.exit(0));
}
