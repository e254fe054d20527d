import { afterEach, expect, test } from '@jest/globals';
import { runCommandLine } from '../../src/cli/program.ts';
import { ProcessRig } from '../support/process-rig.ts';

let rig: ProcessRig | undefined;

afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

async function ask(...args: readonly string[]): Promise<unknown> {
  let out = '';
  const code = await runCommandLine([...args, '--admin', `127.0.0.1:${rig?.adminPort}`, '-o', 'json'], {
    environment: {},
    out: (text) => (out += text),
    err: () => undefined,
  });
  expect(code).toBe(0);
  return JSON.parse(out);
}

test('a running process tells its routes, and the requests that are in flight while they are', async () => {
  const arrived = Promise.withResolvers<() => void>();
  rig = await ProcessRig.start((_, response) => arrived.resolve(() => response.end('served')));
  expect(await ask('routes')).toMatchObject([{ id: 'Ingress/team/shop/0.0', status: 'served' }]);

  const answered = rig.get('/');
  const answer = await arrived.promise;
  expect(await ask('backends')).toMatchObject([{ id: 'team/shop:80', endpoints: [{ inFlight: 1 }] }]);
  answer();
  expect((await answered).status).toBe(200);
});
