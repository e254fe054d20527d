import { isIPv4 } from 'node:net';

import { decodeRetries, decodeTimeouts } from './decode-exchange.ts';
import { decodePortRef } from './decode-port.ts';
import type { Field } from './field.ts';
import type { ObjectMeta } from './object-meta.ts';
import type { NamedMatch, Route, RouteBackend, RouteMatch, RouteRule, RouteSplit } from './route.ts';
import {
  addressRange,
  dnsLabel,
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

/** sallyport.dev/v1alpha1 Route. Unknown fields are faults: nothing that is written here is ever ignored. */
export function decodeRoute(root: Field, meta: ObjectMeta): Route {
  root.only(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  const spec = root.get('spec').object().only(['ingressClassName', 'hosts', 'tls', 'rules']);
  const tls = spec.get('tls').optionalObject()?.only(['secretName', 'namespace']);
  return {
    kind: 'Route',
    meta,
    ingressClassName: spec.get('ingressClassName').optionalText({ check: objectName }),
    hosts: texts(spec.get('hosts'), { check: hostPattern, maxItems: maxHosts }),
    tls: tls && {
      secretName: tls.get('secretName').text({ check: objectName }),
      namespace: tls.get('namespace').optionalText({ check: dnsLabel }),
    },
    rules: spec.get('rules').filledList(maxRules).map(decodeRule),
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
  match.object().only(['path', 'methods', 'headers', 'query', 'cookies', 'sourceRanges']);
  return {
    path: decodePath(match.get('path')),
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
