import { runKeepaliveRace } from '../support/keepalive-race.ts';

// The race between a request and an upstream that closes its idle connection, at length: prints the figures, and fails
// when a GET was lost or a POST served twice. `node test/faults/keepalive-race.ts [requests]`, 10^5 by default.

const requests = Number(process.argv[2] ?? 100_000);
const gets = await runKeepaliveRace({ method: 'GET', requests, connections: 32 });
process.stdout.write(`GET  ${JSON.stringify(gets)}\n`);
const posts = await runKeepaliveRace({ method: 'POST', requests, connections: 32 });
process.stdout.write(`POST ${JSON.stringify(posts)}\n`);
if (gets.failed + gets.wrong > 0 || posts.wrong + posts.doubled > 0) process.exitCode = 1;
