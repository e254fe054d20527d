import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { GROUPS, HTTP2_REQUESTS, TLS12_SUITE, TLS13_SUITE } from '../harness/certificate.ts';
import type { Edge } from '../harness/certificate.ts';
import { EDGE_SECRET, writeManifests } from '../harness/manifests.ts';
import { freePort, startProcess, waitForPort, waitUntil } from '../harness/process.ts';
import { rootFolder } from '../harness/tools.ts';
import type { Peer } from './peer.ts';

async function isReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok;
  } catch {
    return false;
  }
}

function portFlags(port: number, edge: Edge | undefined): readonly string[] {
  if (edge === undefined) return ['--http-port', String(port), '--https-port', '0'];
  // Its answers have no field that those of the others have not.
  const flags = [
    '--http-port',
    '0',
    '--https-port',
    String(port),
    '--hsts=false',
    `--use-http2=${edge.http2}`,
  ];
  if (edge.http2) flags.push('--keep-alive-requests', String(HTTP2_REQUESTS));
  flags.push('--default-ssl-certificate', EDGE_SECRET, '--ssl-ecdh-curve', GROUPS.join(':'));
  return [...flags, '--ssl-ciphers', `${TLS13_SUITE}:${TLS12_SUITE}`];
}

export const sallyport: Peer = {
  name: 'sallyport',
  version: async () => {
    const manifest = JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return manifest.version;
  },
  /** The manifests lie in `<folder>/manifests`. */
  start: async (options) => {
    const { folder, edge } = options;
    const [port, adminPort] = [await freePort(), await freePort()];
    const manifests = join(folder, 'manifests');
    writeManifests(manifests, options);
    const args = [
      'run',
      '--manifests',
      manifests,
      '--address',
      '127.0.0.1',
      '--admin-port',
      String(adminPort),
    ];
    args.push('--workers', '1', '--access-log=false', '--drain-delay', '0', ...portFlags(port, edge));
    const process_ = startProcess(join(rootFolder, 'bin/sallyport'), args, join(folder, 'output.log'));
    await waitUntil('sallyport', process_, () => isReady(adminPort));
    await waitForPort('sallyport', process_, port);
    return { ...process_, port };
  },
};
