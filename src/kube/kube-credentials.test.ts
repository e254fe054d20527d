import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inspect } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { accessInCluster } from './in-cluster-access.ts';
import { accessFromKubeconfig } from './kube-credentials.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-kubeconfig-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with one context `here` of these fields (YAML flow). */
function config({ cluster = '', user = '' } = {}): Promise<string> {
  return file(
    'config',
    `apiVersion: v1
kind: Config
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u, namespace: web } }]
clusters: [{ name: c, cluster: { server: 'https://api.example:6443'${cluster} } }]
users: [{ name: u, user: { ${user} } }]
`,
  );
}

describe('a kubeconfig', () => {
  test('says where, in which namespace, with which token and certificates', async () => {
    const path = await config({
      cluster: `, certificate-authority-data: ${base64('CA')}, tls-server-name: inner.example, proxy-url: 'http://proxy:3128'`,
      user: `token: abc, client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}`,
    });
    const access = await accessFromKubeconfig({ file: path });
    expect([access.server.href, access.namespace]).toEqual(['https://api.example:6443/', 'web']);
    expect(access.origin).toBe(`kubeconfig "${path}", context "here"`);
    expect(await access.credentials()).toEqual({
      headers: [['authorization', 'Bearer abc']],
      connection: {
        ca: 'CA',
        cert: 'CERT',
        key: 'KEY',
        serverName: 'inner.example',
        insecure: false,
        proxy: 'http://proxy:3128',
        http2: true,
      },
    });
  });

  test('that does not parse is named without what stands in it', async () => {
    const path = await file(
      'config',
      'users:\n- name: u\n  user:\n    token: t0psecret\n   client-key-data: k3y\n',
    );
    const error: unknown = await accessFromKubeconfig({ file: path }).catch((cause: unknown) => cause);
    expect(inspect(error)).toMatch(/bad indentation of a mapping entry \(5:4\), want a kubeconfig file/);
    expect(inspect(error)).not.toMatch(/t0psecret|k3y/);
  });

  test('may name files beside it, which are read again when they change and the server refuses', async () => {
    await file('token', 'first\n');
    await file('ca.pem', 'CA');
    const path = await config({ cluster: ', certificate-authority: ca.pem', user: 'tokenFile: token' });
    const access = await accessFromKubeconfig({ file: path });
    const first = await access.credentials();
    expect(first).toMatchObject({ headers: [['authorization', 'Bearer first']], connection: { ca: 'CA' } });
    expect(await access.credentials()).toBe(first);
    await file('token', 'second');
    const second = await access.renew(first);
    expect(second.headers).toEqual([['authorization', 'Bearer second']]);
    expect(second.connection).toBe(first.connection);
    expect(await access.renew(first)).toBe(second);
  });

  test('may act as somebody else, with groups', async () => {
    const path = await config({
      user: "token: abc, as: jane, as-uid: '7', as-groups: [a, b], as-user-extra: { Scope: [x] }",
    });
    const { headers, connection } = await (await accessFromKubeconfig({ file: path })).credentials();
    expect(headers).toEqual([
      ['impersonate-user', 'jane'],
      ['authorization', 'Bearer abc'],
      ['impersonate-uid', '7'],
      ['impersonate-group', 'a'],
      ['impersonate-group', 'b'],
      ['impersonate-extra-scope', 'x'],
    ]);
    expect(connection.http2).toBe(false);
  });

  test('may log in by name and password, skip checks of the certificate, or speak clear text', async () => {
    const path = await config({
      cluster: ', insecure-skip-tls-verify: true',
      user: 'username: u, password: p',
    });
    expect(await (await accessFromKubeconfig({ file: path })).credentials()).toMatchObject({
      headers: [['authorization', `Basic ${base64('u:p')}`]],
      connection: { insecure: true },
    });
    const plain = await file(
      'plain',
      (await import('node:fs')).readFileSync(path, 'utf8').replace('https:', 'http:'),
    );
    expect((await accessFromKubeconfig({ file: plain })).server.protocol).toBe('http:');
  });

  test('may run a plugin, again when its token is refused', async () => {
    const script = `#!/bin/sh
echo run >> "$COUNT"
printf '{"kind":"ExecCredential","status":{"token":"%s-%s"}}' "$NAME" "$(wc -l < "$COUNT" | tr -d ' ')"
[ -n "$KUBERNETES_EXEC_INFO" ]
`;
    await chmod(await file('plugin.sh', script), 0o700);
    const env = `[{ name: NAME, value: t }, { name: COUNT, value: '${join(folder, 'count')}' }]`;
    const path = await config({
      user: `exec: { apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, env: ${env} }`,
    });
    const access = await accessFromKubeconfig({ file: path });
    const first = await access.credentials();
    expect(first.headers).toEqual([['authorization', 'Bearer t-1']]);
    expect(await access.credentials()).toBe(first);
    expect((await access.renew(first)).headers).toEqual([['authorization', 'Bearer t-2']]);
  });

  test('whose plugin fails says so', async () => {
    await chmod(await file('plugin.sh', '#!/bin/sh\necho "log in first" >&2\nexit 1\n'), 0o700);
    const path = await config({ user: 'exec: { command: ./plugin.sh }' });
    const access = await accessFromKubeconfig({ file: path });
    await expect(access.credentials()).rejects.toMatchObject({
      code: 'CREDENTIALS',
      message: `Get credentials of user "u" (kubeconfig "${path}", context "here"): log in first`,
    });
  });

  test('may be several files: the first that says something holds, missing ones are passed over', async () => {
    const one = await file(
      'one',
      'current-context: b\nclusters: [{ name: c, cluster: { server: "https://one:1" } }]\n',
    );
    const two = await file(
      'two',
      `current-context: x
clusters: [{ name: c, cluster: { server: 'https://two:2' } }]
users: [{ name: u, user: { token: t } }]
contexts: [{ name: b, context: { cluster: c, user: u } }]
`,
    );
    const KUBECONFIG = [one, join(folder, 'none'), two].join(delimiter);
    const access = await accessFromKubeconfig({ env: { KUBECONFIG } });
    expect([access.server.href, access.namespace]).toEqual(['https://one:1/', undefined]);
  });

  test.each([
    ['is not there', 'none', undefined, /none": no such file, want --kubeconfig with a file that exists/],
    ['has no such context', 'config', 'away', /no context "away", want one of "here"$/],
    [
      'names no such cluster',
      'lost',
      'a',
      /context "a" names the cluster "gone", want one that is in the file$/,
    ],
    ['names no such user', 'lost', 'b', /context "b" names the user "gone", want one that is in the file$/],
    [
      'has a server that is none',
      'lost',
      'c',
      /cluster "odd" has the server "ftp:\/\/x", want https:\/\/HOST:PORT$/,
    ],
    ['has no current context', 'lost', undefined, /no current context, want one of "a", "b", "c"$/],
    ['is no kubeconfig', 'text', undefined, /want a kubeconfig file$/],
  ])('that %s is an error that says what is wanted', async (_what, name, context, message) => {
    await config();
    await file('text', '{{{');
    await file(
      'lost',
      `clusters: [{ name: c, cluster: { server: 'https://c' } }, { name: odd, cluster: { server: 'ftp://x' } }]
contexts:
  - { name: a, context: { cluster: gone, user: u } }
  - { name: b, context: { cluster: c, user: gone } }
  - { name: c, context: { cluster: odd, user: '' } }
`,
    );
    const opened = accessFromKubeconfig({ file: join(folder, name), context });
    await expect(opened).rejects.toMatchObject({ code: 'CREDENTIALS' });
    await expect(opened).rejects.toThrow(message);
  });
});

describe('a pod', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  test('knows its cluster, its namespace and its token', async () => {
    await file('namespace', 'ingress\n');
    await file('token', 'abc\n');
    await file('ca.crt', 'CA');
    const access = accessInCluster({ env, folder });
    expect([access.server.href, access.namespace]).toEqual(['https://[fd00::1]/', 'ingress']);
    expect(await access.credentials()).toMatchObject({
      headers: [['authorization', 'Bearer abc']],
      connection: { ca: 'CA', insecure: false, http2: true },
    });
  });

  test('reads a new token at once when the old one is refused', async () => {
    await file('token', 'old');
    await file('ca.crt', 'CA');
    const access = accessInCluster({ env, folder });
    const old = await access.credentials();
    await file('token', 'new');
    expect((await access.renew(old)).headers).toEqual([['authorization', 'Bearer new']]);
  });

  test('without its files says which one', async () => {
    const { credentials } = accessInCluster({ env, folder });
    await expect(credentials()).rejects.toThrow(/^Read the pod's token ".*token": ENOENT/);
  });

  test('is where this must run', () => {
    expect(() => accessInCluster({ env: {}, folder })).toThrow(/want to run in a pod, or --kubeconfig FILE$/);
  });
});
