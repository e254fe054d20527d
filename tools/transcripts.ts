// The transcripts of docs/protocols.md: starts Sallyport with examples/protocols and what stands behind it, runs the commands
// of the page, and writes what they print into it. Ports are free ones; the page says 8080 and 8443.
//   node tools/transcripts.ts            rewrites the page
//   node tools/transcripts.ts --check    exit code 1 when the page would change
//   node tools/transcripts.ts --serve    serves on 8080 and 8443 until Ctrl-C, to try the commands by hand
// Needs curl, openssl, and grpcurl (go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest); steps whose program is
// missing stay as they are.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as readText } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import { TestAuthority } from '../test/support/test-authority.ts';
import { findCommand } from '../test/support/find-command.ts';
import { normalise, readSteps, writeOutputs } from './transcripts/console-blocks.ts';
import type { Step } from './transcripts/console-blocks.ts';
import { startUpstreams } from './transcripts/upstreams.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs/protocols.md');
const examples = join(root, 'examples/protocols');
/** Where the commands of the page find the client's certificate. */
const folder = join(root, '.cache/protocols');

/** As examples/protocols/services.yaml has them. */
const usualPorts: ReadonlyMap<string, number> = new Map([
  ['hello', 17_180],
  ['hello2', 17_181],
  ['greeter', 17_182],
  ['chat', 17_183],
]);

interface Ports {
  readonly http: number;
  readonly https: number;
}

const usual: Ports = { http: 8080, https: 8443 };

/** Manifests with these ports, the authority of members.localhost, and a certificate that it signed. */
function writeFolder(ports: ReadonlyMap<string, number>): string {
  const manifests = join(folder, 'manifests');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(manifests, { recursive: true });
  for (const name of readdirSync(examples).filter((file) => file.endsWith('.yaml'))) {
    let text = readFileSync(join(examples, name), 'utf8');
    for (const [service, port] of usualPorts)
      text = text.replaceAll(String(port), String(ports.get(service)));
    writeFileSync(join(manifests, name), text);
  }
  const authority = TestAuthority.root('members');
  const { certificate, key } = authority.client('alice');
  writeFileSync(join(folder, 'client.pem'), certificate);
  writeFileSync(join(folder, 'client.key'), key, { mode: 0o600 });
  writeFileSync(
    join(manifests, 'members-ca.yaml'),
    `apiVersion: v1\nkind: Secret\nmetadata: { name: members-ca, namespace: protocols }\ndata: { ca.crt: ${btoa(authority.certificate)} }\n`,
  );
  return manifests;
}

function startSallyport(manifests: string, ports: Ports): ChildProcess {
  const flags = [
    `--http-port=${ports.http}`,
    `--https-port=${ports.https}`,
    '--address=127.0.0.1',
    '--admin-port=0',
    '--workers=1',
    '--enable-h2c',
    '--drain-delay=0',
  ];
  return spawn(join(root, 'bin/sallyport'), ['run', '--manifests', manifests, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
}

/** The ports, once the first table is live. */
async function live(child: ChildProcess): Promise<Ports> {
  let ports: Ports | undefined;
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const { msg, port, httpsPort } = JSON.parse(line) as { msg?: string; port?: number; httpsPort?: number };
    if (msg === 'started') ports = { http: port ?? 0, https: httpsPort ?? 0 };
    if (msg === 'table live' && ports !== undefined) {
      child.stdout?.resume();
      return ports;
    }
  }
  throw new Error('start Sallyport: it ended before its table was live');
}

/** What a command prints, on both streams, with the ports of the page. */
async function run({ command, output }: Step, ports: Ports): Promise<string> {
  const program = command.split(/\s/, 1)[0] as string;
  if (findCommand(program) === undefined) {
    process.stderr.write(`${program} is missing: its steps stay as they are\n`);
    return output;
  }
  const actual = command.replaceAll('8080', String(ports.http)).replaceAll('8443', String(ports.https));
  const shell = spawn('sh', ['-c', `exec 2>&1\n${actual}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
  });
  const text = (await readText(shell.stdout))
    .replaceAll(String(ports.http), '8080')
    .replaceAll(String(ports.https), '8443');
  return normalise(text);
}

/** Every step in turn. */
async function runAll(text: string, ports: Ports): Promise<string> {
  const outputs: string[] = [];
  for (const step of readSteps(text)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as a reader would
    outputs.push(await run(step, ports));
  }
  return writeOutputs(text, outputs);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, serve: { type: 'boolean' } } });
  // Where `go install` puts programs.
  process.env['PATH'] += `${delimiter}${process.env['GOBIN'] ?? join(homedir(), 'go/bin')}`;
  const isServing = values.serve === true;
  const upstreams = await startUpstreams(isServing ? usualPorts : new Map());
  const child = startSallyport(writeFolder(upstreams.ports), isServing ? usual : { http: 0, https: 0 });
  const ended = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    const ports = await live(child);
    if (isServing) return await serve(child);
    const text = readFileSync(page, 'utf8');
    const written = await runAll(text, ports);
    if (values.check === true) {
      if (written !== text) process.stderr.write('docs/protocols.md is not what its commands print\n');
      return written === text ? 0 : 1;
    }
    writeFileSync(page, written);
    return 0;
  } finally {
    child.kill('SIGTERM');
    await ended;
    await upstreams.stop();
  }
}

async function serve(child: ChildProcess): Promise<number> {
  process.stdout.write('serving on 8080 and 8443; Ctrl-C ends\n');
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(child, 'exit')]);
  return 0;
}

process.exitCode = await main();
