import { errorCodes } from '../telemetry/error-codes.ts';
import type { Explanation } from './explain.ts';
import { printHost } from './explain-rivals.ts';
import type { RouteOrigin } from '../table/route-table.ts';

/** An explanation in plain columns, for a terminal. Ends with a line feed. */
export function explanationText(explanation: Explanation): string {
  const { request, host, clientCertificates, route, filters, rewritten, responseFields } = explanation;
  const lines = [
    ['request', `${request.method} ${request.scheme}://${request.host}${request.path}${request.query}`],
    ['client', request.clientAddress],
    ['host', host.pattern === undefined ? host.reason : `${printHost(host.pattern)} (${host.reason})`],
    ['answer', answerText(explanation)],
  ];
  if (clientCertificates !== undefined) lines.push(['clients', clientsText(explanation, clientCertificates)]);
  if (route !== undefined) {
    lines.push(['route', `${originText(route.origin)}, ${route.origin.field}`], ['id', route.id]);
    lines.push(['path', `${route.path.type} ${route.path.value}`]);
    lines.push(['filters', filters.length === 0 ? 'none' : filters.map(({ name }) => name).join(', ')]);
    if (rewritten !== undefined) lines.push(['sends', `${request.method} ${rewritten}`]);
    for (const [name, value] of responseFields) lines.push(['adds', `${name}: ${value}`]);
  }
  return [table(lines), backendsText(explanation), rivalsText(explanation)]
    .filter((part) => part !== '')
    .join('\n');
}

type ClientMode = NonNullable<Explanation['clientCertificates']>;

function clientsText({ clientAuthority, clientCommonName }: Explanation, mode: ClientMode): string {
  const by = clientAuthority === undefined ? '' : `; authority: ${clientAuthority}`;
  const name = clientCommonName === undefined ? '' : `; subject: ${clientCommonName}`;
  return `${clientTexts[mode]}${by}${name}`;
}

const clientTexts: Readonly<Record<ClientMode, string>> = {
  on: 'have to show a certificate, over HTTPS',
  optional: 'may show a certificate, over HTTPS; a bad one is refused',
  'optional-no-ca': 'may show any certificate, over HTTPS; the upstream is told what it is worth',
  closed: 'are all refused: what their certificates are checked by cannot be had',
};

function answerText({ answer }: Explanation): string {
  if (answer.kind === 'forward') return 'forwarded to an upstream';
  if (answer.kind === 'filters') return answer.reason;
  const known = Object.entries(errorCodes).find(([code]) => code === answer.code)?.[1];
  const status = known === undefined ? answer.code : `${known.status} ${known.text} (${answer.code})`;
  return `${status}: ${answer.reason}`;
}

function backendsText({ forward, answer }: Explanation): string {
  if (forward === undefined) return '';
  const hasTls = forward.backends.some(({ tls }) => tls !== '');
  const rows = forward.backends.map(
    ({ upstream, protocol, tls, role, weight, share, endpoints, fallback }) => [
      upstream,
      protocol,
      ...(hasTls ? [tls] : []),
      role,
      String(weight),
      `${Number((share * 100).toFixed(2))} %`,
      endpoints.length > 0
        ? endpoints.join(' ')
        : `none${fallback === undefined ? '' : `, ${fallback} serves instead`}`,
    ],
  );
  const last =
    answer.kind === 'filters' ? 'not asked: a filter answers before' : `chosen: ${forward.decision}`;
  const heading = [
    'UPSTREAM',
    'PROTOCOL',
    ...(hasTls ? ['TLS'] : []),
    'ROLE',
    'WEIGHT',
    'SHARE',
    'ENDPOINTS',
  ];
  return `${table([heading, ...rows])}${last}\n`;
}

function rivalsText({ rivals, moreRivals: more }: Explanation): string {
  if (rivals.length === 0) return '';
  const rows = rivals.map(({ origin, host, path, reason }) => [
    originText(origin),
    printHost(host),
    `${path.type} ${path.value}`,
    reason,
  ]);
  const rest = more === 0 ? '' : `and ${more} more that are less like this request\n`;
  return `${table([['OTHER ROUTE', 'HOST', 'PATH', 'WHY NOT'], ...rows])}${rest}`;
}

function originText({ kind, namespace, name }: RouteOrigin): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Columns two spaces apart, the last one ragged. Control characters cannot get at the terminal. */
function table(rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, '?')));
  const widths = (safe[0] ?? []).map((_, column) => Math.max(...safe.map((row) => row[column]?.length ?? 0)));
  return safe
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
