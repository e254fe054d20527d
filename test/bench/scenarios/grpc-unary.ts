import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { startGrpcBackend } from '../backends/grpc-backend.ts';
import { callOnce } from '../clients/grpc-call.ts';
import { createEdge } from '../harness/certificate.ts';
import { h2load } from '../harness/h2load.ts';
import { loadColumns, measure, withPeers, withRunning } from '../harness/measure.ts';
import type { Bench, Subject } from '../harness/measure.ts';
import { hostName } from '../harness/manifests.ts';
import { ratio } from '../harness/result.ts';
import type { Row, Verdict } from '../harness/result.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

const PATH = '/bench.Echo/Unary';
const FULL = { connections: 16, streams: 8 };
/** Far from any limit, so that what is added is the way and not a queue. */
const LIGHT = { connections: 4, streams: 4, rate: 1000 };

/** An uncompressed gRPC message of 32 bytes, behind its five bytes of length. */
function grpcMessage(): Buffer {
  const message = Buffer.alloc(37, 'x');
  message.writeUInt8(0, 0);
  message.writeUInt32BE(32, 1);
  return message;
}

type Mode = 'full load' | '1,000/s';

const nameOf = (name: string, mode: Mode): string => `${name}, ${mode}`;

interface Target {
  readonly name: string;
  readonly port: number;
  readonly process?: RunningPeer;
}

/** Drops those that do not carry a call; Sallyport must. */
async function thatAnswer(bench: Bench, targets: readonly Target[]): Promise<readonly Target[]> {
  const good: Target[] = [];
  for (const target of targets) {
    const origin = `${target.name === 'direct' ? 'http' : 'https'}://127.0.0.1:${target.port}`;
    try {
      await callOnce({ origin, host: hostName(0), path: PATH, message: grpcMessage() });
      good.push(target);
    } catch (error) {
      if (target.name === 'sallyport') throw error;
      bench.log(`  ${target.name} is left out: ${(error as Error).message}`);
    }
  }
  return good;
}

function subjectsOf(bench: Bench, targets: readonly Target[]): readonly Subject[] {
  const folder = bench.folder('load');
  const body = join(folder, 'message');
  writeFileSync(body, grpcMessage());
  const shared = {
    host: hostName(0),
    path: PATH,
    headers: ['content-type: application/grpc', 'te: trailers'],
    body,
    answerBytes: grpcMessage().length,
    log: join(folder, 'requests.log'),
  };
  return (['full load', '1,000/s'] as const).flatMap((mode) =>
    targets.map(({ name, port, process: running }): Subject => {
      const load = { ...shared, ...(mode === 'full load' ? FULL : LIGHT), tls: name !== 'direct', port };
      const subject = { name: nameOf(name, mode), load: (seconds: number) => h2load(load, seconds) };
      return running === undefined ? subject : { ...subject, process: running };
    }),
  );
}

function added(rows: readonly Row[], key: 'p50Ms' | 'p99Ms', name: string): number | null {
  const of = (one: string) => rows.find((row) => row.name === nameOf(one, '1,000/s'))?.values[key] ?? null;
  const [through, direct] = [of(name), of('direct')];
  return through === null || direct === null ? null : through - direct;
}

function verdicts(rows: readonly Row[]): readonly Verdict[] {
  const toPeer = (peer: string, limit: number): Verdict => ({
    text: `CPU time per call under full load, sallyport to ${peer}`,
    value: ratio(rows, 'cpuMicros', nameOf('sallyport', 'full load'), nameOf(peer, 'full load')),
    limit,
    sense: 'at most',
  });
  const own = rows.filter(({ name }) => name.startsWith('sallyport'));
  return [
    toPeer('nginx', 1),
    toPeer('envoy', 0.65),
    {
      text: 'p50 added at 1,000/s, ms',
      value: added(rows, 'p50Ms', 'sallyport'),
      limit: 0.5,
      sense: 'at most',
    },
    {
      text: 'p99 added at 1,000/s, ms',
      value: added(rows, 'p99Ms', 'sallyport'),
      limit: 2,
      sense: 'at most',
    },
    {
      text: 'sallyport errors',
      value: own.length === 0 ? null : own.reduce((sum, row) => sum + (row.values['errors'] ?? 0), 0),
      limit: 0,
      sense: 'at most',
    },
  ];
}

export const grpcUnary: Scenario = {
  id: 'grpc-unary',
  title: 'Unary gRPC',
  run: async (bench) => {
    const edge = createEdge(bench.folder('edge'), [hostName(0)], true);
    const rows = await withRunning(startGrpcBackend(bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port, edge, upstream: 'grpc' }, async (running) => {
        const proxies = [...running].map(([name, peer]) => ({ name, port: peer.port, process: peer }));
        const targets = await thatAnswer(bench, [{ name: 'direct', port: backend.port }, ...proxies]);
        return measure(bench, subjectsOf(bench, targets));
      }),
    );
    const nginx = nameOf('nginx', 'full load');
    return {
      how:
        'A message of 32 bytes that comes back, HTTP/2 over TLS 1.3 to the proxy and HTTP/2 without TLS to a Go server. ' +
        `Full load: ${FULL.connections} connections with ${FULL.streams} calls each; 1,000/s: over ${LIGHT.connections} connections. ` +
        'Direct: the same load without TLS to the server itself',
      columns: loadColumns.map((column) =>
        column.key === 'cpuMicros' ? { ...column, label: 'CPU µs/call' } : column,
      ),
      rows: rows.map((row) => ({
        ...row,
        values: {
          ...row.values,
          toNginx: row.name.endsWith('full load') ? ratio(rows, 'cpuMicros', row.name, nginx) : null,
        },
      })),
      verdicts: verdicts(rows),
    };
  },
};
