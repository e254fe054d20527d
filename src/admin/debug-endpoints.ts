import { printTable } from '../table/print-table.ts';
import { jsonAnswer, textAnswer } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

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
  doc: 'Why a request is served as it is: ?url=http://host/path&method=GET&header=name:value (header may repeat).',
  loopbackOnly: true,
  answer: (query, state) => {
    const url = URL.parse(query.get('url') ?? '');
    if (url === null || !/^https?:$/.test(url.protocol)) {
      return textAnswer(400, `Explain a request: url is "${query.get('url') ?? ''}", want http://host/path`);
    }
    const headers: [string, string][] = [];
    for (const header of query.getAll('header')) {
      const colon = header.indexOf(':');
      if (colon <= 0) return textAnswer(400, `Explain a request: header is "${header}", want name:value`);
      headers.push([header.slice(0, colon).trim(), header.slice(colon + 1).trim()]);
    }
    return jsonAnswer(200, state.explain({ url, method: query.get('method') ?? 'GET', headers }));
  },
};
