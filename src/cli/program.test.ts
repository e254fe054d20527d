import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { settingList } from '../app/setting-list.ts';
import { environmentName } from '../app/settings.ts';
import { services } from '../../test/support/sallyport-process.ts';
import { runCommandLine } from './program.ts';

const good = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop, namespace: team }
spec:
  ingressClassName: sallyport
  rules:
    - host: shop.example
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 80 } } } }
---${services(8080)}`;

let root: string;
let healthy: string;
let broken: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-cli-'));
  healthy = join(root, 'healthy');
  broken = join(root, 'broken');
  for (const folder of [healthy, broken]) {
    await mkdir(folder);
    await writeFile(join(folder, 'all.yaml'), good);
  }
  await writeFile(join(broken, 'bad.yaml'), 'kind: Ingress\napiVersion: networking.k8s.io/v1\nspec: [\n');
});

afterAll(() => rm(root, { recursive: true }));

async function run(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCommandLine(args, {
    // No kubeconfig of whoever runs the tests.
    environment: { HOME: root, ...environment },
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

describe('check', () => {
  test('a folder without findings', async () => {
    expect(await run(['check', '--manifests', healthy])).toEqual({
      code: 0,
      out: '',
      err: `1 route, 0 findings, 0 errors in ${healthy}\n`,
    });
  });

  test('errors are listed with file and line, and make the exit code 1', async () => {
    const { code, out, err } = await run(['check', `--manifests=${broken}`]);
    expect(code).toBe(1);
    expect(out).toMatch(/^WHERE +SEVERITY +CODE +OBJECT +FINDING\nbad\.yaml:\d+ +error +SP1001 /);
    expect(out).toMatch(/\n\nCODE +WHAT TO DO\nSP1001 +Fix the syntax/);
    expect(err).toBe(`1 route, 1 finding, 1 error in ${broken}\n`);
  });

  test('a folder of another class says so, and how it is served', async () => {
    const { code, err } = await run([
      'check',
      '--manifests',
      healthy,
      '--ingress-class=nginx',
      '--controller-class=k8s.io/ingress-nginx',
    ]);
    expect(code).toBe(0);
    expect(err).toBe(
      `0 routes, 0 findings, 0 errors in ${healthy}\n` +
        'No Ingress or Route is of class "nginx", but 1 of class "sallyport"; ' +
        '--ingress-class sallyport --ingress-class-by-name serves them\n',
    );
  });

  test.each([
    ['json', JSON.parse],
    ['yaml', load],
  ] as const)('as %s', async (format, read) => {
    const { out } = await run(['check', '-o', format], { SALLYPORT_MANIFESTS: broken });
    expect(read(out)).toMatchObject([
      { code: 'SP1001', severity: 'error', location: { file: 'bad.yaml', document: 1 } },
    ]);
  });
});

describe('explain', () => {
  test('a request that is forwarded', async () => {
    const { code, out } = await run(['explain', 'http://shop.example/cart', '--manifests', healthy]);
    expect(code).toBe(0);
    expect(out).toMatch(/route +Ingress team\/shop/);
    expect(out).toMatch(/127\.0\.0\.1:8080/);
  });

  test('a request that no route takes, as data', async () => {
    const args = ['explain', 'http://other.example/', '--manifests', healthy, '-o', 'json'];
    const { code, out } = await run(args);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ answer: { kind: 'respond', code: 'SP_NO_ROUTE' } });
  });

  test('an object that lost a path to the route is named, with its line', async () => {
    const folder = join(root, 'conflict');
    await mkdir(folder);
    await writeFile(join(folder, 'all.yaml'), good);
    const [ingress] = good.split('---');
    await writeFile(join(folder, 'later.yaml'), ingress!.replace('name: shop,', 'name: zzz,'));
    const args = ['explain', 'http://shop.example/', '--manifests', folder];
    const { code, out } = await run(args);
    expect(code).toBe(0);
    expect(out).toMatch(/\nlater\.yaml:11 +warning +SP3001 +Ingress team\/zzz +.*Ingress team\/shop has it/);
    expect(JSON.parse((await run([...args, '-o', 'json'])).out)).toMatchObject({
      findings: [{ code: 'SP3001', winner: { kind: 'Ingress', namespace: 'team', name: 'shop' } }],
    });
  });

  test('a Host field stands for the host, the method is passed on', async () => {
    const header = ['-H', 'Host: shop.example', '-H', 'x-a: b:c'];
    const args = ['explain', 'http://1.2.3.4/', '-X', 'POST', ...header, '--manifests', healthy];
    const { code, out } = await run([...args, '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      request: { method: 'POST', host: 'shop.example', headers: [['x-a', 'b:c']] },
    });
  });
});

describe('usage', () => {
  test.each([
    [['explain', 'http://a/', '-H', 'nonsense', '--manifests', '.'], /Read --header: "nonsense" is not/],
    [['explain', 'http://a/', '--client', 'here', '--manifests', '.'], /Read --client: "here" is not/],
    [['check'], /Choose where to read: there is no kubeconfig .*--kubeconfig FILE.*--admin.*--manifests DIR/],
    [['routes', '-o', 'csv', '--manifests', '.'], /Allowed choices are table, wide, json, yaml, name/],
    [['check', '--manifests', '.', '-o', 'xml'], /Allowed choices are table, json, yaml/],
    [
      ['run', '--https-port', '99999', '--manifests', '.'],
      /Read --https-port: "99999" is not a whole number/,
    ],
    [['run', '--config', '/nonexistent.yaml'], /Read the config file "\/nonexistent.yaml": ENOENT/],
    [['launch'], /^sallyport: unknown command 'launch'/],
  ])('%j ends with 2', async (args, message) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  test('a folder that is not there is a failure, not a usage error', async () => {
    const { code, err } = await run(['check', '--manifests', join(root, 'none')]);
    expect(code).toBe(1);
    expect(err).toMatch(/there is no such folder/);
  });

  test('the config file is read, and names what it does not know', async () => {
    const file = join(root, 'settings.yaml');
    await writeFile(file, `manifests: ${healthy}\ntrusted-proxies: [10.0.0.0/8]\naccess-log: false\n`);
    expect((await run(['check', '--config', file])).code).toBe(0);
    await writeFile(file, 'manifest: x\n');
    const { code, err } = await run(['check', '--config', file]);
    expect(code).toBe(2);
    expect(err).toBe('sallyport: Read the config file: "manifest" is not the name of a setting\n');
  });

  test('run --help shows every flag, alias, default and environment name', async () => {
    const { code, out } = await run(['run', '--help']);
    expect(code).toBe(0);
    const words = out.replaceAll(/\s+/g, ' ');
    for (const { flag, aliases, default: value } of Object.values(settingList)) {
      expect(words).toContain(`--${flag} `);
      for (const alias of aliases) expect(words).toContain(`also --${alias};`);
      expect(words).toContain(`default ${value === '' ? 'unset' : value}; ${environmentName(flag)})`);
    }
  });

  test.each(['run', 'routes', 'backends', 'explain', 'check', 'version'])(
    '%s --help has an example, under the name that was typed',
    async (command) => {
      const wanted = (name: string): RegExp => new RegExp(`Examples?:\\n  ${name} ${command}`);
      expect((await run([command, '--help'])).out).toMatch(wanted('sallyport'));
      const plugin = { SALLYPORT_COMMAND_NAME: 'kubectl sallyport' };
      const { out } = await run([command, '--help'], plugin);
      expect(out).toMatch(wanted('kubectl sallyport'));
      expect(out).toMatch(new RegExp(`^Usage: kubectl sallyport ${command}`));
    },
  );

  test('a kubeconfig that is named must be there', async () => {
    const { code, err } = await run(['routes', '--kubeconfig', join(root, 'none')]);
    expect(code).toBe(1);
    expect(err).toMatch(/^sallyport: Read kubeconfig ".*none": no such file/);
  });

  test.each(['version', '--version', '-V'])('%s', async (argument) => {
    const { code, out } = await run([argument]);
    expect(code).toBe(0);
    expect(out).toMatch(/^sallyport \d+\.\d+\.\d+ \(node v\d+\./);
  });
});
