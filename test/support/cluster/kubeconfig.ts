import type { ApiAccess } from './api-connection.ts';

interface KubeconfigOptions extends ApiAccess {
  /** Of the context; `default` unless given. */
  readonly namespace?: string | undefined;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with one context, as JSON, which is YAML too. */
export function kubeconfig({
  url,
  ca,
  namespace = 'default',
  token,
  certificate,
  key,
}: KubeconfigOptions): string {
  const name = 'sallyport-test';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    clusters: [{ name, cluster: { server: url, ...(ca && { 'certificate-authority-data': base64(ca) }) } }],
    users: [
      {
        name,
        user: {
          ...(token && { token }),
          ...(certificate && { 'client-certificate-data': base64(certificate) }),
          ...(key && { 'client-key-data': base64(key) }),
        },
      },
    ],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Reads what `kubeconfig` wrote; other files go through `existing-cluster.ts`. */
export function readKubeconfig(text: string): ApiAccess {
  const { clusters, users } = JSON.parse(text) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string | undefined>> }];
    readonly users: readonly [{ readonly user: Readonly<Record<string, string | undefined>> }];
  };
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  return {
    url: cluster['server'] ?? '',
    ca: decode(cluster['certificate-authority-data']),
    token: user['token'],
    certificate: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
}

function decode(data: string | undefined): string | undefined {
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString();
}
