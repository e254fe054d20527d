// Endpoint changes at a steady rate: `node churn-client.ts KUBECONFIG RATE SERVICES ADDRESS PORT PORT`. Each moves the endpoint of another
// Service between two ports. Prints the number of changes as JSON when its standard input ends.
import { ApiClient } from '../../support/cluster/api-client.ts';
import { useExisting } from '../../support/cluster/existing-cluster.ts';
import { slice } from '../cluster/objects.ts';

const [file = '', rate = '', services = '', address = '', ...ports] = process.argv.slice(2);
const client = new ApiClient((await useExisting(file)).access);
const periodMs = 1000 / Number(rate);
let made = 0;
let failed = 0;
let next = performance.now();

function step(): void {
  const now = performance.now();
  while (next <= now) {
    next += periodMs;
    const name = `host-${(made * 7919) % Number(services)}`;
    const port = Number(ports[made % 2]);
    made++;
    client.apply(slice(name, address, port)).catch(() => failed++);
  }
}

const timer = setInterval(step, periodMs / 2);
process.stdin.resume().once('end', () => {
  clearInterval(timer);
  process.stdout.write(`${JSON.stringify({ made, failed })}\n`);
  process.exit();
});
