import { startNginxBackend } from '../backends/nginx-backend.ts';
import { handshakes } from '../clients/handshakes.ts';
import type { HandshakeLoad } from '../clients/handshakes.ts';
import { createEdge } from '../harness/certificate.ts';
import { loadColumns, measure, withPeers, withRunning } from '../harness/measure.ts';
import type { Bench, Subject } from '../harness/measure.ts';
import { hostName } from '../harness/manifests.ts';
import { ratio } from '../harness/result.ts';
import type { Row } from '../harness/result.ts';
import { buildGo } from '../harness/tools.ts';
import type { RunningPeer } from '../peers/peer.ts';
import type { Scenario } from './scenario.ts';

const LANES = 16;

type Case = Pick<HandshakeLoad, 'version' | 'kind'>;

const cases: readonly Case[] = [
  { version: '1.3', kind: 'full' },
  { version: '1.3', kind: 'resumed' },
  { version: '1.2', kind: 'full' },
  { version: '1.2', kind: 'resumed' },
];

const nameOf = (peer: string, { version, kind }: Case): string => `${peer}, TLS ${version}, ${kind}`;

async function measureCase(
  bench: Bench,
  one: Case,
  { running, program }: { running: ReadonlyMap<string, RunningPeer>; program: string },
): Promise<readonly Row[]> {
  const subjects: readonly Subject[] = [...running].map(([name, peer]) => {
    const load: HandshakeLoad = { ...one, program, port: peer.port, name: hostName(0), lanes: LANES };
    return { name: nameOf(name, one), process: peer, load: (seconds) => handshakes(load, seconds) };
  });
  const rows = await measure(bench, subjects);
  return rows.map((row) => ({
    ...row,
    values: { ...row.values, toNginx: ratio(rows, 'cpuMicros', row.name, nameOf('nginx', one)) },
  }));
}

const labels: Readonly<Record<string, string>> = {
  cpuMicros: 'CPU µs/handshake',
  requestsPerSecond: 'handshakes/s',
};

export const tlsHandshakes: Scenario = {
  id: 'tls-handshakes',
  title: 'TLS handshakes',
  run: async (bench) => {
    const program = await buildGo('go-handshakes');
    const edge = createEdge(bench.folder('edge'), [hostName(0)], false);
    const rows = await withRunning(startNginxBackend(bench.folder('backend')), (backend) =>
      withPeers(bench, { backendPort: backend.port, edge }, async (running) => {
        const found: Row[] = [];
        for (const one of cases) found.push(...(await measureCase(bench, one, { running, program })));
        return found;
      }),
    );
    const own = rows.filter(({ name }) => name.startsWith('sallyport'));
    return {
      how:
        `Connections with one GET each, ${LANES} at a time; ECDSA on P-256, X25519, AES-128-GCM, sessions in tickets. ` +
        'CPU time is that of the whole connection, latency that of connecting and the handshake; ' +
        'a handshake that was not of the kind counts as an error',
      columns: loadColumns.map((column) => ({ ...column, label: labels[column.key] ?? column.label })),
      rows,
      verdicts: [
        ...(['1.3', '1.2'] as const).map((version) => ({
          text: `CPU time per connection, TLS ${version}, resumed to full`,
          value: ratio(
            rows,
            'cpuMicros',
            nameOf('sallyport', { version, kind: 'resumed' }),
            nameOf('sallyport', { version, kind: 'full' }),
          ),
          limit: 0.95,
          sense: 'at most' as const,
        })),
        {
          text: 'sallyport errors',
          value: own.length === 0 ? null : own.reduce((sum, row) => sum + (row.values['errors'] ?? 0), 0),
          limit: 0,
          sense: 'at most',
        },
      ],
    };
  },
};
