import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { writeManifests } from '../harness/manifests.ts';
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

export const sallyport: Peer = {
  name: 'sallyport',
  version: async () => {
    const manifest = JSON.parse(readFileSync(join(rootFolder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return manifest.version;
  },
  /** The manifests lie in `<folder>/manifests`. */
  start: async ({ folder, backendPort, hosts }) => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const manifests = join(folder, 'manifests');
    writeManifests(manifests, hosts, backendPort);
    const args = ['run', '--manifests', manifests, '--address', '127.0.0.1', '--http-port', String(port)];
    args.push(
      '--https-port',
      '0',
      '--admin-port',
      String(adminPort),
      '--workers',
      '1',
      '--access-log=false',
      '--drain-delay',
      '0',
    );
    const process_ = startProcess(join(rootFolder, 'bin/sallyport'), args, join(folder, 'output.log'));
    await waitUntil('sallyport', process_, () => isReady(adminPort));
    await waitForPort('sallyport', process_, port);
    return { ...process_, port };
  },
};
