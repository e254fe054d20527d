// Starts a cluster, says where it is, and waits to be killed: for the test that nothing of it is left then.
import { startCluster } from './start-cluster.ts';

const { url, folder } = await startCluster();
process.stdout.write(`${JSON.stringify({ url, folder })}\n`);
setInterval(() => {}, 60_000);
