import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { listDiagnostics } from '../../src/compile/diagnostic-index.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import type { Schema } from '../../src/model/schema.ts';
import { createSnapshot } from '../../src/model/snapshot-store.ts';
import type { TestCluster } from './cluster/start-cluster.ts';
import { parseManifests } from './cluster/manifest.ts';
import type { KindReference, Manifest } from './cluster/manifest.ts';
import { celRulesOf, nodesOf } from './structural-schema.ts';

// Objects of our own kinds, as the API server and as the controller judge them.

const root = join(import.meta.dirname, '../..');

export const routeKind: KindReference = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'Route' };
export const policyKind: KindReference = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'BackendPolicy' };

export function route(spec: unknown, name = 'r'): Manifest {
  return { ...routeKind, metadata: { name, namespace: 'default' }, spec };
}

export function backendPolicy(spec: unknown, name = 'p'): Manifest {
  return { ...policyKind, metadata: { name, namespace: 'default' }, spec };
}

/** Every object of a kind in examples and golden cases, with where it stands. */
export function storedObjects(kind: KindReference): readonly (readonly [string, Manifest])[] {
  const files = globSync(['examples/**/*.yaml', 'test/golden/*/in.yaml'], { cwd: root }).toSorted();
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    if (!text.includes(`kind: ${kind.kind}`)) return [];
    return parseManifests(text)
      .filter((object) => object.kind === kind.kind && object.apiVersion === kind.apiVersion)
      .map((object) => [`${file}: ${object.metadata.name}`, object] as const);
  });
}

export interface ApiVerdict {
  readonly accepted: boolean;
  /** What the API server says, without the object's name. */
  readonly message: string;
  /** As it would be stored. */
  readonly object: Manifest | undefined;
}

/** What the API server makes of an object; nothing is stored, unknown fields are refused. */
export async function apiVerdict(cluster: TestCluster, manifest: Manifest): Promise<ApiVerdict> {
  const namespace = 'default';
  const plural = manifest.kind === 'Route' ? 'routes' : 'backendpolicies';
  const body = { ...manifest, metadata: { ...manifest.metadata, namespace } };
  const answer = await cluster.admin.call(
    'POST',
    `/apis/sallyport.dev/v1alpha1/namespaces/${namespace}/${plural}`,
    { body, query: { dryRun: 'All', fieldValidation: 'Strict' } },
  );
  const accepted = answer.status === 201;
  const { message = '' } = answer.body as { readonly message?: string };
  return {
    accepted,
    message: message.replace(/^\S+ "[^"]*" is invalid: /, ''),
    object: accepted ? (answer.body as Manifest) : undefined,
  };
}

/** Faults of the object itself: not those of what it refers to, which a snapshot of it alone lacks. */
const ownFaults = /^SP(?:1\d{3}|200[4-6]|42\d{2}|43\d{2})$/;

/** What decoder and compiler find wrong with an object by itself. */
export function controllerFaults(manifest: Manifest): {
  readonly decoder: readonly string[];
  readonly compiler: readonly string[];
} {
  const { object, diagnostics } = decodeObject(manifest, { identity: 'content' });
  const decoder = diagnostics.map(({ path, message }) => `${path}: ${message}`);
  if (object === undefined) return { decoder, compiler: [] };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { ports: [{ name: 'http', port: 80 }] },
  };
  const beside = decodeObject(service, { identity: 'content' }).object;
  const options = { ...defaultCompileOptions, watchIngressWithoutClass: true, ingressClassByName: true };
  const snapshot = createSnapshot(beside === undefined ? [object] : [object, beside]);
  const found = listDiagnostics(createCompiler(options).compile(snapshot).diagnostics);
  return {
    decoder,
    compiler: found
      .filter(({ code }) => ownFaults.test(code))
      .map(({ path, message }) => `${path}: ${message}`),
  };
}

/** Rules, choices and required fields of a schema that no message of a refusal speaks of. */
export function unspoken(root: Schema, messages: readonly string[]): readonly string[] {
  const spoken = messages.map((message) => message.replace(/\[\d+\]/g, '[]')).join('\n');
  const wanted = nodesOf(root).flatMap(({ path, schema }) => {
    if (!path.startsWith('.spec')) return [];
    const at = path.slice(1);
    const required = (schema['required'] ?? []) as readonly string[];
    return [
      ...celRulesOf(schema).map(({ message }) => message),
      ...(schema['enum'] === undefined ? [] : [`${at}: Unsupported value`]),
      ...required.map((name) => `${at}.${name}: Required value`),
    ];
  });
  return wanted.filter((text) => !spoken.includes(text));
}
