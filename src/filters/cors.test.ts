import { describe, expect, test } from '@jest/globals';
import {
  filterFrom,
  filterFromAnnotations,
  filterRequest,
  filterResponse,
  headerLines,
  parseAnnotations,
  parseRouteFilter,
  runRequest,
} from '../../test/support/filter-harness.ts';
import { annotationFault } from './annotation-grammar.ts';
import { cors } from './cors.ts';
import type { Filter } from './filter.ts';

const preflight = { status: 204, headers: [['Content-Type', 'text/plain; charset=utf-8']], body: '' };

function returned(filter: Filter, origin: string, fields: Readonly<Record<string, string>> = {}) {
  const response = filterResponse(200, fields);
  filter.onResponse?.(response, filterRequest({ headers: origin === '' ? {} : { Origin: origin } }));
  return headerLines(response.headers);
}

function options(filter: Filter, origin: string) {
  return runRequest(
    filter,
    filterRequest({ method: 'OPTIONS', headers: origin === '' ? {} : { Origin: origin } }),
  );
}

describe('annotations', () => {
  const on = { 'enable-cors': 'true' };

  test('by themselves allow every origin', () => {
    const filter = filterFromAnnotations(cors, on);
    expect(returned(filter, 'https://any.example')).toEqual([
      'Access-Control-Allow-Origin: *',
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Allow-Methods: GET, PUT, POST, DELETE, PATCH, OPTIONS',
      'Access-Control-Allow-Headers: DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
      'Access-Control-Max-Age: 1728000',
    ]);
    expect(returned(filter, '')).toContain('Access-Control-Allow-Origin: *');
    expect(options(filter, '')).toEqual(preflight);
  });

  test('say what is sent', () => {
    const filter = filterFromAnnotations(cors, {
      ...on,
      'cors-allow-origin': 'https://app.example, null',
      'cors-allow-methods': 'GET,REPORT',
      'cors-allow-headers': 'X-One, X_Two',
      'cors-allow-credentials': 'false',
      'cors-expose-headers': '*, X-Three',
      'cors-max-age': '-1',
    });
    expect(returned(filter, 'https://APP.example')).toEqual([
      'Vary: Origin',
      'Access-Control-Allow-Origin: https://APP.example',
      'Access-Control-Allow-Methods: GET,REPORT',
      'Access-Control-Allow-Headers: X-One, X_Two',
      'Access-Control-Expose-Headers: *, X-Three',
      'Access-Control-Max-Age: -1',
    ]);
    expect(returned(filter, 'null')).toContain('Access-Control-Allow-Origin: null');
  });

  test('do nothing unless switched on, but are checked', () => {
    expect(parseAnnotations(cors, { 'cors-allow-origin': '*' })).toMatchObject({
      config: undefined,
      reports: [{ code: 'SP4004', path: 'cors-allow-origin' }],
    });
    expect(parseAnnotations(cors, { 'enable-cors': 'false', 'cors-max-age': '5' })).toEqual({
      config: undefined,
      reports: [],
    });
    expect(parseAnnotations(cors, { 'enable-cors': 'no', 'cors-max-age': 'long' })).toMatchObject({
      config: undefined,
      reports: [
        { level: 'warning', code: 'SP4252', path: 'cors-max-age' },
        { level: 'warning', code: 'SP4252', path: 'enable-cors' },
      ],
    });
  });

  test.each([
    ['cors-allow-methods', 'GET;POST'],
    ['cors-allow-headers', 'X-One\r\nX-Two: 1'],
    ['cors-allow-headers', '$http_host'],
    ['cors-allow-credentials', 'yes'],
    ['cors-max-age', '1.5'],
    ['cors-max-age', '-2'],
  ])('%s falls back from %j to its default', (name, value) => {
    const { config, reports } = parseAnnotations(cors, { ...on, [name]: value });
    expect(reports).toMatchObject([{ level: 'warning', code: 'SP4252', path: name }]);
    expect(config).toEqual(parseAnnotations(cors, on).config);
  });

  test('leave out origins that are none, and never open up for it', () => {
    const { config, reports } = parseAnnotations(cors, {
      ...on,
      'cors-allow-origin': 'https://a.example/, https://b.example ,,*.*.c.example',
    });
    expect(config).toMatchObject({ allowOrigins: ['https://b.example'] });
    expect(reports.map(({ message }) => message.split(', want')[0])).toEqual([
      'Leaving out "https://a.example/"',
      'Leaving out "*.*.c.example"',
    ]);
    for (const value of ['https://$host', 'https://a.example b.example', 'x'.repeat(8193)]) {
      const parsed = parseAnnotations(cors, { ...on, 'cors-allow-origin': value });
      expect(parsed).toMatchObject({ config: { allowOrigins: [] }, reports: [{ code: 'SP4251' }] });
    }
  });

  test('`*` among others allows all', () => {
    const { config } = parseAnnotations(cors, { ...on, 'cors-allow-origin': 'https://a.example, *' });
    expect(config).toMatchObject({ allowOrigins: ['*'] });
  });

  test('white space of any kind may stand around origins, for the reader and for the grammar', () => {
    const value = 'https://a.example\t,\r\nhttps://b.example, ,';
    const { config, reports } = parseAnnotations(cors, { ...on, 'cors-allow-origin': value });
    expect(config).toMatchObject({ allowOrigins: ['https://a.example', 'https://b.example'] });
    expect(reports).toEqual([]);
    const spec = cors.annotations?.known.find(({ name }) => name === 'cors-allow-origin');
    expect(spec && annotationFault(spec.grammar, value)).toBeUndefined();
  });

  test('a list that nearly fits is read in no time', () => {
    const value = `${'null ,  , '.repeat(800)}!`;
    const { reports } = parseAnnotations(cors, { ...on, 'cors-allow-origin': value });
    expect(reports).toHaveLength(1);
  });
});

describe('origins', () => {
  const allowed = (entry: string, origin: string) =>
    options(filterFromAnnotations(cors, { 'enable-cors': '1', 'cors-allow-origin': entry }), origin) !==
    undefined;

  test.each([
    ['https://a.example', 'https://a.example'],
    ['https://A.example:8443', 'HTTPS://a.EXAMPLE:8443'],
    ['https://*.a.example', 'https://one.a.example'],
    ['https://*.a.example:81', 'https://one.a.example:81'],
    ['app://local', 'app://local'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['null', 'null'],
    ['a.example', 'https://a.example'],
    ['a.example', 'http://one.two.a.example'],
    ['*.a.example', 'https://one.a.example'],
    ['*.a.example', 'https://one.two.a.example'],
    ['a.example:81', 'https://a.example:81'],
  ])('%s allows %s', (entry, origin) => {
    expect(allowed(entry, origin)).toBe(true);
  });

  test.each([
    ['https://a.example', ''],
    ['https://a.example', 'http://a.example'],
    ['https://a.example', 'https://a.example:8443'],
    ['https://a.example', 'https://one.a.example'],
    ['https://a.example', 'https://a.example.evil.example'],
    ['https://a.example', 'https://axexample'],
    ['https://a.example', 'xhttps://a.example'],
    ['https://*.a.example', 'https://a.example'],
    ['https://*.a.example', 'https://.a.example'],
    ['https://*.a.example', 'https://one.two.a.example'],
    ['https://*.a.example', 'https://evil.example/x.a.example'],
    ['https://*.a.example', 'https://one.a.example:81'],
    ['a.example', 'https://evila.example'],
    ['a.example', 'https://evil.example/?.a.example'],
    ['a.example', 'a.example'],
    ['*.a.example', 'https://a.example'],
    ['*.a.example', 'https://evila.example'],
    ['null', 'https://null'],
    ['null', ''],
  ])('%s does not allow %j', (entry, origin) => {
    expect(allowed(entry, origin)).toBe(false);
  });
});

describe('answers', () => {
  const filter = filterFrom(cors, { allowOrigins: ['https://a.example'] });

  test('to a preflight request of an allowed origin only', () => {
    expect(options(filter, 'https://a.example')).toEqual(preflight);
    expect(options(filter, 'https://b.example')).toBeUndefined();
    const get = filterRequest({ headers: { Origin: 'https://a.example' } });
    expect(runRequest(filter, get)).toBeUndefined();
  });

  test('go by the origin as it came, whatever other filters have made of the request', () => {
    const request = filterRequest({ headers: { Origin: 'https://a.example' } });
    request.headers.remove('origin');
    const response = filterResponse();
    filter.onResponse?.(response, request);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://a.example');
  });

  test('replace what the upstream says of an allowed origin, and leave the rest to it', () => {
    const upstream = { 'access-control-allow-origin': '*', 'Access-Control-Max-Age': '1' };
    expect(returned(filter, 'https://a.example', upstream)).toEqual([
      'Access-Control-Allow-Origin: https://a.example',
      'Access-Control-Max-Age: 5',
      'Vary: Origin',
      'Access-Control-Allow-Methods: GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS',
    ]);
    expect(returned(filter, 'https://b.example', upstream)).toEqual([
      'access-control-allow-origin: *',
      'Access-Control-Max-Age: 1',
      'Vary: Origin',
    ]);
  });

  test.each([
    ['Accept-Encoding', ['Vary: Accept-Encoding', 'Vary: Origin']],
    ['Accept, ORIGIN', ['Vary: Accept, ORIGIN']],
    ['*', ['Vary: *']],
  ])('vary by origin beside %s', (vary, lines) => {
    expect(returned(filter, '', { Vary: vary })).toEqual(lines);
  });
});

describe('in a Route', () => {
  test('takes all fields', () => {
    const { config, reports } = parseRouteFilter(cors, {
      allowOrigins: ['https://A.example', 'https://a.example', 'null'],
      allowMethods: ['GET'],
      allowHeaders: ['*'],
      allowCredentials: true,
      exposeHeaders: ['grpc-status', 'grpc-message'],
      maxAgeSeconds: 60,
    });
    expect(reports).toEqual([]);
    expect(config).toEqual({
      allowOrigins: ['https://a.example', 'null'],
      allowMethods: 'GET',
      allowHeaders: '*',
      allowCredentials: true,
      exposeHeaders: 'grpc-status, grpc-message',
      maxAgeSeconds: 60,
    });
  });

  test.each([
    [{}, 'allowOrigins'],
    [{ allowOrigins: [] }, 'allowOrigins'],
    [{ allowOrigins: 'https://a.example' }, 'allowOrigins'],
    [{ allowOrigins: ['a.example'] }, 'allowOrigins[0]'],
    [{ allowOrigins: ['https://a.example/'] }, 'allowOrigins[0]'],
    [{ allowOrigins: ['https://a.example', 'https://*.*.example'] }, 'allowOrigins[1]'],
    [{ allowOrigins: [1] }, 'allowOrigins[0]'],
    [{ allowOrigins: ['*'], allowMethods: ['GET POST'] }, 'allowMethods[0]'],
    [{ allowOrigins: ['*'], allowHeaders: ['a\r\nb'] }, 'allowHeaders[0]'],
    [{ allowOrigins: ['*'], exposeHeaders: [''] }, 'exposeHeaders[0]'],
    [{ allowOrigins: ['*'], allowCredentials: 'true' }, 'allowCredentials'],
    [{ allowOrigins: ['*'], allowCredentials: true }, 'allowCredentials'],
    [{ allowOrigins: ['*'], maxAgeSeconds: -2 }, 'maxAgeSeconds'],
    [{ allowOrigins: ['*'], maxAge: 1 }, 'maxAge'],
  ])('refuses %j', (value, path) => {
    const { config, reports } = parseRouteFilter(cors, value);
    expect(config).toBeUndefined();
    expect(reports).toMatchObject([{ level: 'error', code: 'SP4201', path }]);
  });
});
