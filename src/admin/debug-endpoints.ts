import { isIP } from 'node:net';

import { printTable } from '../table/print-table.ts';
import type { ExplainRequest } from './admin-state.ts';
import { jsonAnswer, textAnswer } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { findingsOf } from './route-findings.ts';

export const debugTable: Endpoint = {
  path: '/debug/table',
  doc: 'The routing table as JSON; certificates show their digests only.',
  loopbackOnly: true,
  answer: (_, state) => jsonAnswer(200, printTable(state.table())),
};

export const debugDiagnostics: Endpoint = {
  path: '/debug/diagnostics',
  doc: 'Open findings about the declared objects as JSON.',
  loopbackOnly: true,
  answer: (_, state) => jsonAnswer(200, state.diagnostics()),
};

export const debugExplain: Endpoint = {
  path: '/debug/explain',
  doc: 'Why a request is served as it is, and what is wrong with the objects behind it: ?url=http://host/path&method=GET&header=name:value&client=address (header may repeat).',
  loopbackOnly: true,
  answer: (query, state) => {
    const asked = readQuery(query);
    if (typeof asked === 'string') return textAnswer(400, `Explain a request: ${asked}`);
    const explanation = state.explain(asked);
    return jsonAnswer(200, { ...explanation, findings: findingsOf(explanation, state.diagnostics()) });
  },
};

/** The request that is asked about, or what is wanted instead. */
function readQuery(query: URLSearchParams): ExplainRequest | string {
  const url = query.get('url') ?? '';
  if (!/^https?:\/\//i.test(url)) return `url is "${url}", want http://host/path`;
  const headers: [string, string][] = [];
  for (const header of query.getAll('header')) {
    const colon = header.indexOf(':');
    if (colon <= 0) return `header is "${header}", want name:value`;
    headers.push([header.slice(0, colon).trim(), header.slice(colon + 1).trim()]);
  }
  const client = query.get('client') ?? '';
  if (client !== '' && isIP(client) === 0) return `client is "${client}", want an IPv4 or IPv6 address`;
  const method = query.get('method') ?? 'GET';
  return { url, method, headers, ...(client === '' ? {} : { clientAddress: client }) };
}
