import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { PeerOptions } from '../peers/peer.ts';
import type { Edge } from './certificate.ts';

/** JSON is YAML; one document a line of `---`. */
const documents = (objects: readonly unknown[]): string =>
  objects.map((object) => JSON.stringify(object)).join('\n---\n');

export const hostName = (index: number): string => `host-${index}.bench.example`;

/** Namespace and name of the Secret with the certificate of every host. */
export const EDGE_SECRET = 'bench/edge';

/** An Ingress with one host and one path, all of it going to the Service `backend`. */
export function ingress(name: string, host: string, path = '/') {
  const backend = { service: { name: 'backend', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'bench' },
    spec: {
      ingressClassName: 'sallyport',
      rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
    },
  };
}

function shared(backendPort: number): readonly unknown[] {
  const meta = { name: 'backend', namespace: 'bench' };
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'sallyport' },
      spec: { controller: 'sallyport.dev/ingress-controller' },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { ports: [{ name: 'http', port: 80, targetPort: backendPort }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...meta, labels: { 'kubernetes.io/service-name': 'backend' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: backendPort }],
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    },
  ];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function edgeSecret({ certificate, key }: Edge) {
  const [namespace, name] = EDGE_SECRET.split('/');
  const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key) };
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { namespace, name }, data };
}

/** The same with what the options ask for. */
function hostIngress(index: number, { edge, upstream }: PeerOptions) {
  const host = hostName(index);
  const plain = ingress(`host-${index}`, host);
  const secretName = EDGE_SECRET.slice(EDGE_SECRET.indexOf('/') + 1);
  const tls = edge === undefined ? {} : { tls: [{ hosts: [host], secretName }] };
  const annotations =
    upstream === undefined ? {} : { 'nginx.ingress.kubernetes.io/backend-protocol': upstream.toUpperCase() };
  return { ...plain, metadata: { ...plain.metadata, annotations }, spec: { ...plain.spec, ...tls } };
}

/** Writes a folder of manifests with as many hosts as are asked for, 500 Ingresses a file. */
export function writeManifests(folder: string, options: PeerOptions): void {
  const { hosts, edge } = options;
  mkdirSync(folder, { recursive: true });
  const secrets = edge === undefined ? [] : [edgeSecret(edge)];
  writeFileSync(join(folder, 'backend.yaml'), documents([...shared(options.backendPort), ...secrets]));
  for (let first = 0; first < hosts; first += 500) {
    const count = Math.min(500, hosts - first);
    const part = Array.from({ length: count }, (_, index) => hostIngress(first + index, options));
    writeFileSync(join(folder, `hosts-${first}.yaml`), documents(part));
  }
}

/** Replaces one manifest in a single step, as editors and ConfigMap mounts do. */
export function saveManifest(folder: string, name: string, objects: readonly unknown[]): void {
  const temporary = join(folder, `.${name}.tmp`);
  writeFileSync(temporary, documents(objects));
  renameSync(temporary, join(folder, name));
}

/** A wrk script that spreads requests evenly over `hosts` hosts. */
export function writeHostScript(file: string, hosts: number): void {
  writeFileSync(
    file,
    `local requests, at = {}, 0
init = function(args)
  for i = 0, ${hosts - 1} do
    requests[#requests + 1] = wrk.format("GET", "/", { Host = "host-" .. i .. ".bench.example" })
  end
end
request = function()
  -- A stride that shares no factor with the count visits every host, far from the one before.
  at = (at + 7919) % #requests
  return requests[at + 1]
end
`,
  );
}
