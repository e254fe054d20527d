import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/**
 * A port whose accept queue is full: connection attempts get no answer at all. In a process of its own, which is stopped
 * as soon as it listens.
 */
export async function startDeafListener(): Promise<{ port: number; stop(): Promise<void> }> {
  const source = `
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      process.stdout.write(server.address().port + '\\n', () => process.kill(process.pid, 'SIGSTOP'));
    });`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  const fillers: Socket[] = [];
  // The queue takes one more than it was asked for; the rest only waits.
  for (let count = 0; count < 2; count++) {
    const filler = connect({ port, host: '127.0.0.1' });
    fillers.push(filler);
    await once(filler, 'connect');
  }
  return {
    port,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
