import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { startProxy, testSettings } from '../support/data-plane-harness.ts';
import type { TestProxy } from '../support/data-plane-harness.ts';
import { data } from '../support/http2-rig.ts';
import type { Fields } from '../support/http2-rig.ts';
import { request } from '../support/raw-client.ts';
import { RawHttp2Client, headers } from '../support/raw-http2-client.ts';
import { RawHttp2Endpoint } from '../support/raw-http2-endpoint.ts';
import type { EndpointRequest } from '../support/raw-http2-endpoint.ts';
import { aliases, forwardedFamily } from './rows/header-rows.ts';
import { goodHosts } from './rows/host-rows.ts';
import { normalised } from './rows/path-rows.ts';

// What is forwarded to an endpoint of HTTP/2, whichever version it came by: no field of a connection of HTTP/1.1, one
// authority, one path, the body as it was. Names begin with the row of the corpus.

let endpoint: RawHttp2Endpoint;
let proxy: TestProxy;

beforeAll(async () => {
  endpoint = await RawHttp2Endpoint.start(({ stream, fields, body }) => [
    ...headers(stream, [[':status', '200']], { endStream: false }),
    data(stream, `${fields.get(':method')} ${fields.get(':path')} ${body}`, 1),
  ]);
  endpoint.waitsForEnd = true;
  proxy = await startProxy([{ upstream: [endpoint.port], policy: { protocol: 'http2' } }], {
    settings: { http2: { ...testSettings.http2, plain: true } },
  });
});

afterAll(async () => {
  await proxy.stop();
  await endpoint.stop();
});

/** The one request that the endpoint sees. */
async function seen(ask: () => Promise<string>): Promise<EndpointRequest> {
  const before = endpoint.requests.length;
  const body = await ask();
  const [received, ...more] = endpoint.requests.slice(before);
  expect(more).toEqual([]);
  expect(body).toBe(`${received?.fields.get(':method')} ${received?.fields.get(':path')} ${received?.body}`);
  return received as EndpointRequest;
}

function overHttp1(lines: readonly string[], body = '', line = 'GET /case'): Promise<EndpointRequest> {
  return seen(async () => {
    const { status, body: answered } = await request(
      proxy.port,
      `${line} HTTP/1.1\r\n${lines.map((field) => `${field}\r\n`).join('')}\r\n${body}`,
    );
    expect(status).toBe(200);
    return answered;
  });
}

function overHttp2(
  fields: Fields,
  frames: (stream: number) => readonly Buffer[] = () => [],
): Promise<EndpointRequest> {
  return seen(async () => {
    const client = await RawHttp2Client.connect(proxy.port);
    const stream = client.nextStream();
    const more = frames(stream);
    client.send(...headers(stream, fields, { endStream: more.length === 0 }), ...more);
    const answer = await client.answer(stream);
    expect(answer.status).toBe(200);
    client.close();
    return answer.body;
  });
}

const at = (path: string, ...fields: Fields): Fields => [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'a.example'],
  ...fields,
];

/** What every endpoint is told about GET /case at a.example. */
const ours = {
  ':method': 'GET',
  ':scheme': 'http',
  ':path': '/case',
  ':authority': 'a.example',
  'x-real-ip': '127.0.0.1',
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-host': 'a.example',
  'x-forwarded-port': '80',
  'x-forwarded-proto': 'http',
  'x-forwarded-scheme': 'http',
  'x-scheme': 'http',
  'x-sallyport-hops': '1',
};

function withoutId({ fields }: EndpointRequest): Record<string, string> {
  const { 'x-request-id': id, ...rest } = Object.fromEntries(fields);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  return rest;
}

const HOST = 'Host: a.example';

describe('from HTTP/1.1', () => {
  test.each([
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Connection: x-custom',
    'TE: gzip',
    'Trailer: X-Sum',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    ...forwardedFamily.map(([name, value]) => `${name}: ${value}`),
    ...aliases,
  ])('H01, H02, H04 %s', async (field) => {
    expect(withoutId(await overHttp1([HOST, field]))).toEqual(ours);
  });

  test('H04 te: trailers', async () => {
    expect(withoutId(await overHttp1([HOST, 'TE: gzip, trailers']))).toEqual({ ...ours, te: 'trailers' });
  });

  test.each(goodHosts)('%s', async (_, sent, host) => {
    const { fields } = await overHttp1([`Host: ${sent}`]);
    expect(fields.get(':authority')).toBe(host);
    expect(fields.has('host')).toBe(false);
  });

  test.each(normalised)('%s', async (_, path, target) => {
    const { fields } = await overHttp1([HOST], '', `GET ${path}`);
    expect(fields.get(':path')).toBe(target);
  });

  const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n';
  test('F13 a request as a body, with a length', async () => {
    const received = await overHttp1([HOST, `Content-Length: ${SMUGGLED.length}`], SMUGGLED, 'POST /case');
    expect(received.body).toBe(SMUGGLED);
    expect(received.fields.get('content-length')).toBe(String(SMUGGLED.length));
  });

  test('F16 the same in chunks, C08 with trailers', async () => {
    const chunks = `${SMUGGLED.length.toString(16)};a=b\r\n${SMUGGLED}\r\n0\r\nX-Sum: 1\r\nHost: evil.example\r\n\r\n`;
    const received = await overHttp1([HOST, 'Transfer-Encoding: chunked'], chunks, 'POST /case');
    expect(received.body).toBe(SMUGGLED);
    expect(received.fields.has('transfer-encoding')).toBe(false);
    expect(received.fields.has('content-length')).toBe(false);
    expect(Object.fromEntries(received.trailers ?? [])).toEqual({ 'x-sum': '1' });
  });
});

describe('from HTTP/2', () => {
  test.each(forwardedFamily)('H01 %s', async (name, value) => {
    expect(withoutId(await overHttp2(at('/case', [name.toLowerCase(), value])))).toEqual(ours);
  });

  test.each(normalised)('%s', async (_, path, target) => {
    expect((await overHttp2(at(path))).fields.get(':path')).toBe(target);
  });

  test('V08 host beside :authority is one name', async () => {
    expect(withoutId(await overHttp2(at('/case', ['host', 'A.example'])))).toEqual(ours);
  });

  test('H07 50 crumbs are one cookie', async () => {
    const crumbs = Array.from({ length: 50 }, (_, index): [string, string] => ['cookie', `c${index}=1`]);
    const { fields } = await overHttp2(at('/case', ...crumbs));
    expect(fields.get('cookie')).toBe(crumbs.map(([, value]) => value).join('; '));
  });

  test('V16 a body without a length, C08 trailers', async () => {
    const body = '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n';
    const received = await overHttp2([[':method', 'POST'], ...at('/case').slice(1)], (stream) => [
      data(stream, body),
      ...headers(stream, [
        ['x-sum', '1'],
        ['authorization', 'Basic eDp5'],
        ['host', 'evil.example'],
      ]),
    ]);
    expect(received.body).toBe(body);
    expect(received.fields.has('content-length')).toBe(false);
    expect(Object.fromEntries(received.trailers ?? [])).toEqual({ 'x-sum': '1' });
  });
});
