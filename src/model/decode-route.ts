import { isIPv4 } from 'node:net';

import { decodeRetries, decodeTimeouts } from './decode-exchange.ts';
import { decodeClientCertificate } from './decode-client-certificate.ts';
import { decodePortRef } from './decode-port.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import type {
  GrpcMatch,
  NamedMatch,
  Route,
  RouteBackend,
  RouteMatch,
  RouteRule,
  RouteSplit,
  RouteTls,
} from './route.ts';
import {
  addressRange,
  dnsLabel,
  grpcMethod,
  grpcService,
  hostPattern,
  method,
  normalPath,
  objectName,
  plainText,
  token,
} from './text-checks.ts';
import type { TextCheck } from './text-checks.ts';

const pathTypes = ['Exact', 'Prefix', 'Regex'] as const;
const matchTypes = ['Exact', 'Regex', 'Present', 'Absent'] as const;
const splitKinds = ['random', 'address', 'header', 'cookie'] as const;
const maxWeight = 1_000_000;
const maxNameLength = 256;
/** Of paths, values and users' regular expressions, in characters. */
const maxValueLength = 1024;
/** The bounds of the CRD schema (route-schema.ts). */
const maxEntries = 16;
const maxHosts = 64;
const maxRules = 64;
const maxRanges = 64;
const maxMethodLength = 32;
const maxGrpcNameLength = 256;

/** sallyport.dev/v1alpha1 Route. Unknown fields are faults: nothing that is written here is ever ignored. */
export function decodeRoute(root: Field, meta: ObjectMeta): Route {
  root.only(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  const spec = root.get('spec').object().only(['ingressClassName', 'hosts', 'tls', 'rules']);
  const tls = spec.get('tls').optionalObject()?.only(['secretName', 'namespace', 'clientCertificate']);
  return {
    kind: 'Route',
    meta,
    ingressClassName: spec.get('ingressClassName').optionalText({ check: objectName }),
    hosts: texts(spec.get('hosts'), { check: hostPattern, maxItems: maxHosts }),
    tls: tls && decodeTls(tls),
    rules: spec.get('rules').filledList(maxRules).map(decodeRule),
  };
}

function decodeTls(tls: Field): RouteTls {
  const clientCertificate = decodeClientCertificate(tls.get('clientCertificate'));
  const secretName = tls.get('secretName');
  const check = { check: objectName };
  return {
    secretName: clientCertificate === undefined ? secretName.text(check) : secretName.optionalText(check),
    namespace: tls.get('namespace').optionalText({ check: dnsLabel }),
    clientCertificate,
  };
}

function decodeRule(rule: Field): RouteRule {
  rule.object().only(['name', 'matches', 'filters', 'backends', 'split', 'timeouts', 'retries']);
  return {
    name: rule.get('name').optionalText({ check: dnsLabel }),
    matches: rule.get('matches').list(maxEntries).map(decodeMatch),
    filters: rule.get('filters').list(maxEntries).map(decodeFilter),
    backends: rule.get('backends').list(maxEntries).map(decodeBackend),
    split: decodeSplit(rule.get('split')),
    timeouts: decodeTimeouts(rule.get('timeouts')),
    retries: decodeRetries(rule.get('retries')),
  };
}

/** One key names the filter; its value is the filter's own to read. */
function decodeFilter(filter: Field): Readonly<Record<string, unknown>> {
  const names = filter.object().members();
  if (names.length !== 1) {
    filter.fault(`Got ${names.length} keys, want exactly one, which names the filter`);
  }
  return Object.fromEntries(names.map(([name, field]) => [name, field.value]));
}

function decodeMatch(match: Field): RouteMatch {
  match.object().only(['path', 'grpc', 'methods', 'headers', 'query', 'cookies', 'sourceRanges']);
  return {
    path: decodePath(match.get('path')),
    grpc: decodeGrpc(match),
    methods: texts(match.get('methods'), { check: method, maxItems: maxEntries, maxLength: maxMethodLength }),
    headers: match
      .get('headers')
      .list(maxEntries)
      .map((entry) => decodeNamed(entry, token)),
    query: match
      .get('query')
      .list(maxEntries)
      .map((entry) => decodeNamed(entry, plainText)),
    cookies: match
      .get('cookies')
      .list(maxEntries)
      .map((entry) => decodeNamed(entry, token)),
    sourceRanges: texts(match.get('sourceRanges'), { check: addressRange, maxItems: maxRanges }).map(
      withPrefixLength,
    ),
  };
}

function decodePath(path: Field): RouteMatch['path'] {
  if (path.absent) return undefined;
  const type = path.object().only(['type', 'value']).get('type').choice(pathTypes, 'Prefix');
  const check = type === 'Regex' ? plainText : normalPath;
  return { type, value: path.get('value').text({ check, maxLength: maxValueLength }) };
}

/** A gRPC request has its path and its method by itself. */
function decodeGrpc(match: Field): GrpcMatch | undefined {
  const grpc = match.get('grpc');
  if (grpc.absent) return undefined;
  grpc.object().only(['service', 'method']);
  for (const other of ['path', 'methods'].map((name) => match.get(name))) {
    if (!other.absent) other.want('nothing beside grpc, which stands for a path and for POST');
  }
  const [service, method] = [grpc.get('service'), grpc.get('method')];
  if (service.absent && method.absent) grpc.want('a service, a method, or both');
  return {
    service: service.optionalText({ check: grpcService, maxLength: maxGrpcNameLength }),
    method: method.optionalText({ check: grpcMethod, maxLength: maxGrpcNameLength }),
  };
}

function decodeNamed(entry: Field, nameCheck: TextCheck): NamedMatch {
  entry.object().only(['name', 'type', 'value']);
  const type = entry.get('type').choice(matchTypes, 'Exact');
  const value = entry.get('value');
  if (type === 'Present' || type === 'Absent') {
    if (!value.absent) value.want(`no value beside type ${type}`);
  } else if (value.absent) {
    value.want('a text');
  }
  return {
    name: entry.get('name').text({ check: nameCheck, maxLength: maxNameLength }),
    type,
    value: value.optionalText({ check: plainText, maxLength: maxValueLength }) ?? '',
  };
}

function decodeBackend(backend: Field): RouteBackend {
  backend.object().only(['service', 'namespace', 'port', 'weight']);
  return {
    service: backend.get('service').text({ check: dnsLabel }),
    namespace: backend.get('namespace').optionalText({ check: dnsLabel }),
    port: decodePortRef(backend.get('port')),
    weight: backend.get('weight').integer(0, maxWeight, 1),
  };
}

function decodeSplit(split: Field): RouteSplit | undefined {
  if (split.absent) return undefined;
  const by = split.object().only(['by', 'name']).get('by').choice(splitKinds);
  const name = split.get('name');
  if (by === 'header' || by === 'cookie') {
    return { by, name: name.text({ check: token, maxLength: maxNameLength }) };
  }
  if (!name.absent) name.want(`no name beside by: ${by}`);
  return { by };
}

interface TextListOptions {
  readonly check: TextCheck;
  readonly maxItems: number;
  readonly maxLength?: number;
}

function texts(field: Field, { maxItems, ...options }: TextListOptions): readonly string[] {
  return field.list(maxItems).map((item) => item.text(options));
}

function withPrefixLength(range: string): string {
  if (range.includes('/')) return range;
  return `${range}/${isIPv4(range) ? 32 : 128}`;
}
