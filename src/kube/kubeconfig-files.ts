import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';

import type { Cluster, Context, KubeConfig, User } from '@kubernetes/client-node';

import { TransportError } from './transport.ts';

/** The parts of a user that the Kubernetes client does not read from a kubeconfig. */
interface ExtraUser {
  readonly tokenFile?: unknown;
  readonly 'as-uid'?: unknown;
  readonly 'as-groups'?: unknown;
  readonly 'as-user-extra'?: unknown;
}

interface RawKubeconfig {
  readonly users?: readonly { readonly name?: string; readonly user?: ExtraUser }[];
}

/** One user of a kubeconfig, complete. */
export interface KubeconfigUser {
  readonly user: User;
  /** Absolute. */
  readonly tokenFile: string | undefined;
  /** Impersonation beyond the user's name. */
  readonly impersonation: readonly (readonly [header: string, value: string])[];
  /** Where relative paths of the user begin. */
  readonly folder: string;
}

/** All files of a kubeconfig taken together, as kubectl does: what the first file says of a name holds. */
export interface Kubeconfig {
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly contexts: ReadonlyMap<string, Context>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly users: ReadonlyMap<string, KubeconfigUser>;
}

/** The files that are meant: the one that is named, else those of KUBECONFIG, else `~/.kube/config`. */
export function kubeconfigFiles(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (file !== undefined) return [file];
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
}

/**
 * Reads and merges kubeconfig files. Of several, those that do not exist are passed over.
 *
 * @throws TransportError with code CREDENTIALS
 */
export async function readKubeconfig(files: readonly string[]): Promise<Kubeconfig> {
  const texts = await readTexts(files);
  const client = await import('@kubernetes/client-node');
  const merged = {
    files,
    currentContext: undefined as string | undefined,
    contexts: new Map<string, Context>(),
    clusters: new Map<string, Cluster>(),
    users: new Map<string, KubeconfigUser>(),
  };
  for (const { file, text } of texts) {
    const config = new client.KubeConfig();
    let raw: RawKubeconfig;
    try {
      config.loadFromString(text);
      raw = client.loadYaml<RawKubeconfig>(text);
    } catch (error) {
      // No cause, and no more than the first line: below it stands a piece of the file, and in that a token or a key.
      const [reason = ''] = (error as Error).message.split('\n');
      throw new TransportError('CREDENTIALS', `Read kubeconfig "${file}": ${reason}, want a kubeconfig file`);
    }
    config.makePathsAbsolute(dirname(file));
    addAll(merged, config, raw, dirname(file));
  }
  return merged;
}

async function readTexts(
  files: readonly string[],
): Promise<readonly { readonly file: string; readonly text: string }[]> {
  const texts: { file: string; text: string }[] = [];
  let missing: unknown;
  for (const file of files) {
    try {
      texts.push({ file, text: await readFile(file, 'utf8') });
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      missing = cause;
      if (code === 'ENOENT') continue;
      throw new TransportError('CREDENTIALS', `Read kubeconfig "${file}": ${message}`, { cause });
    }
  }
  if (texts.length > 0) return texts;
  const names = files.map((file) => `"${file}"`).join(', ');
  const message = `Read kubeconfig ${names}: no such file, want --kubeconfig with a file that exists`;
  throw new TransportError('CREDENTIALS', message, { cause: missing });
}

interface Merged {
  currentContext: string | undefined;
  readonly contexts: Map<string, Context>;
  readonly clusters: Map<string, Cluster>;
  readonly users: Map<string, KubeconfigUser>;
}

function addAll(merged: Merged, config: KubeConfig, raw: RawKubeconfig, folder: string): void {
  merged.currentContext ??= config.currentContext;
  for (const context of config.contexts) merged.contexts.getOrInsert(context.name, context);
  for (const cluster of config.clusters) merged.clusters.getOrInsert(cluster.name, cluster);
  for (const user of config.users) {
    const extra = raw.users?.find(({ name }) => name === user.name)?.user ?? {};
    const { tokenFile } = extra;
    merged.users.getOrInsert(user.name, {
      user,
      tokenFile: typeof tokenFile === 'string' && tokenFile !== '' ? absolute(folder, tokenFile) : undefined,
      impersonation: impersonationOf(extra),
      folder,
    });
  }
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonationOf(extra: ExtraUser): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [];
  if (typeof extra['as-uid'] === 'string') headers.push(['impersonate-uid', extra['as-uid']]);
  for (const group of textsOf(extra['as-groups'])) headers.push(['impersonate-group', group]);
  const more = extra['as-user-extra'];
  if (typeof more !== 'object' || more === null) return headers;
  for (const [key, values] of Object.entries(more)) {
    const name = `impersonate-extra-${encodeURIComponent(key).toLowerCase()}`;
    for (const value of textsOf(values)) headers.push([name, value]);
  }
  return headers;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

export function absolute(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
