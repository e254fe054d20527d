import type { MatchRequest } from '../../src/proxy/linked-table.ts';
import type { Conditions, TableRoute, ValueMatch } from '../../src/table/route-table.ts';

// docs/routing.md once more, with no thought of speed and no code in common with the matcher: the oracle of its tests.

export function naiveMatch(routes: readonly TableRoute[], request: MatchRequest): TableRoute | undefined {
  const labels = request.host.split('.');
  const patterns = [request.host, `*.${labels.slice(1).join('.')}`, ''];
  const pattern = patterns.find((text) => routes.some(({ hosts }) => hosts.includes(text)));
  return routes
    .filter(({ hosts }) => pattern !== undefined && hosts.includes(pattern))
    .filter((route) => pathMatches(route, request.path))
    .filter(({ conditions = {} }) => conditionsHold(conditions, request))
    .toSorted((a, b) => compareLists(sortKey(a), sortKey(b)))[0];
}

function pathMatches({ path: { type, value } }: TableRoute, path: string): boolean {
  if (type === 'exact') return path === value;
  if (type === 'regex') return new RegExp(`^(?:${value})$`).test(path);
  const wanted = value.split('/').filter((element) => element !== '');
  const given = path.split('/').slice(1);
  return wanted.every((element, index) => given[index] === element);
}

function conditionsHold(conditions: Conditions, request: MatchRequest): boolean {
  const { methods = [request.method], headers = [], query = [], cookies = [], sources } = conditions;
  const search = new URLSearchParams(request.query);
  const crumbs = request.headers
    .getAll('cookie')
    .flatMap((field) => field.split('; '))
    .map((crumb) => crumb.split('='));
  return (
    methods.includes(request.method) &&
    headers.every((match) => valueHolds(match, request.headers.getAll(match.name))) &&
    query.every((match) => valueHolds(match, search.getAll(match.name))) &&
    cookies.every((match) =>
      valueHolds(
        match,
        crumbs.filter(([name]) => name === match.name).map(([, value = '']) => value),
      ),
    ) &&
    (sources === undefined || sources.some((cidr) => inRange(cidr, request.clientAddress)))
  );
}

function valueHolds({ type, value }: ValueMatch, given: readonly string[]): boolean {
  if (type === 'absent') return given.length === 0;
  if (type === 'present') return given.length > 0;
  return given.some((text) => (type === 'exact' ? text === value : new RegExp(`^(?:${value})$`).test(text)));
}

/** Enough for the ranges of random-routes.ts: /8, /32 and an IPv6 /32, each told by its first characters. */
function inRange(cidr: string, address: string): boolean {
  const plain = address.replace('::ffff:', '');
  if (cidr === '10.0.0.0/8') return plain.startsWith('10.');
  return cidr === '2001:db8::/32' ? plain.startsWith('2001:db8:') : `${plain}/32` === cidr;
}

/** Lesser first: kind of path, longer path, more conditions of each kind, age, id. */
function sortKey({ path, conditions = {}, rank, id }: TableRoute): readonly (number | string)[] {
  const { methods, headers = [], query = [], cookies = [], sources } = conditions;
  return [
    ['exact', 'regex', 'prefix'].indexOf(path.type),
    -path.value.length,
    methods === undefined ? 1 : 0,
    -headers.length,
    -query.length,
    -cookies.length,
    sources === undefined ? 1 : 0,
    rank,
    id,
  ];
}

function compareLists(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  const place = a.findIndex((value, index) => value !== b[index]);
  if (place < 0) return 0;
  return (a[place] ?? 0) < (b[place] ?? 0) ? -1 : 1;
}
