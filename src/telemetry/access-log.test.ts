import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { AccessLog } from './access-log.ts';
import type { AccessEntry } from './access-log.ts';
import { jsonText } from './json-text.ts';

const entry: AccessEntry = {
  clientAddress: '192.0.2.7',
  method: 'GET',
  host: 'shop.example',
  path: '/cart',
  query: '?a=1',
  protocol: 'HTTP/1.1',
  status: 200,
  requestBytes: 3,
  responseBytes: 512,
  durationMs: 1.23456,
  upstream: 'team-a/shop:80',
  upstreamAddress: '10.0.0.1:8080',
  upstreamStatus: 200,
  upstreamMs: 1,
  tries: 2,
  route: 'Ingress/team-a/shop/0.0',
  requestId: 'abc',
  userAgent: 'curl/8',
  referer: '',
  error: undefined,
  errorDetail: '',
};

interface Sent {
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly dropped: number;
  readonly bytes: number;
}

function collect(options: { readonly creditBytes?: number; readonly clock?: () => number } = {}): {
  readonly log: AccessLog;
  readonly sent: Sent[];
} {
  const sent: Sent[] = [];
  const send = (text: string, dropped: number): void => {
    expect(text.endsWith('\n')).toBe(true);
    const lines = text
      .slice(0, -1)
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    sent.push({ lines, dropped, bytes: Buffer.byteLength(text) });
  };
  return { log: new AccessLog({ send, ...options }), sent };
}

function lineOf(changes: Partial<AccessEntry>): Readonly<Record<string, unknown>> {
  const { log, sent } = collect();
  log.record({ ...entry, ...changes });
  log.flush();
  return sent[0]?.lines[0] ?? {};
}

describe('access log', () => {
  test('writes one JSON line an exchange', () => {
    const { log, sent } = collect({ clock: () => Date.UTC(2026, 10, 21, 11, 0, 5, 7) });
    log.record(entry);
    log.flush();
    expect(sent[0]?.lines).toEqual([
      {
        time: '2026-11-21T11:00:05.007Z',
        remote_addr: '192.0.2.7',
        method: 'GET',
        host: 'shop.example',
        path: '/cart',
        query: '?a=1',
        protocol: 'HTTP/1.1',
        status: 200,
        request_bytes: 3,
        response_bytes: 512,
        duration_ms: 1.235,
        route: 'Ingress/team-a/shop/0.0',
        request_id: 'abc',
        user_agent: 'curl/8',
        referer: '',
        upstream: 'team-a/shop:80',
        upstream_addr: '10.0.0.1:8080',
        upstream_tries: 2,
        upstream_status: 200,
        upstream_ms: 1,
      },
    ]);
  });

  test('leaves out what did not happen and names the error', () => {
    const refused = lineOf({ upstream: '', error: 'SP_NO_ROUTE', errorDetail: '' });
    expect(refused['error']).toBe('SP_NO_ROUTE');
    expect(Object.keys(refused).filter((key) => key.startsWith('upstream'))).toEqual([]);
    const failed = lineOf({ upstreamMs: -1, error: 'SP_UPSTREAM_CONNECT', errorDetail: 'ECONNREFUSED' });
    expect(failed['upstream_addr']).toBe('10.0.0.1:8080');
    expect(failed).not.toHaveProperty('upstream_status');
    expect(failed['error_detail']).toBe('ECONNREFUSED');
  });

  test.each([
    ['line breaks', 'a\r\n{"status":200}'],
    ['ANSI escapes', '\u001b[2J\u009b31m'],
    ['quotes and backslashes', '"\\","x":"'],
    ['8-bit text', '\u00c3\u00a9\u0080\u00ff\u007f'],
    ['NUL', '\u0000'],
  ])('survives %s in every field that a client writes', (_, text) => {
    const line = lineOf({
      userAgent: text,
      referer: text,
      path: text,
      query: text,
      host: text,
      method: text,
    });
    for (const field of ['user_agent', 'referer', 'path', 'query', 'host', 'method'])
      expect(line[field]).toBe(text);
    expect(line['status']).toBe(200);
    expect(jsonText(text)).toMatch(/^[\x20-\x7e]*$/);
  });

  test('cuts a long field at 2 KiB', () => {
    expect(lineOf({ userAgent: 'x'.repeat(16_384) })['user_agent']).toBe(`${'x'.repeat(2048)}...`);
  });

  test('any text is read back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const json = jsonText(text);
        expect(JSON.parse(json)).toBe(text);
        expect(json).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  test('sends a batch when 16 KiB have gathered', () => {
    const { log, sent } = collect();
    while (sent.length === 0) log.record(entry);
    expect(sent[0]?.bytes).toBeGreaterThanOrEqual(16 * 1024);
    expect(sent[0]?.bytes).toBeLessThan(17 * 1024);
    log.flush();
    expect(sent).toHaveLength(1);
  });

  test('sends what has gathered after a while', async () => {
    const text = await new Promise<string>((resolve) => {
      const log = new AccessLog({ send: resolve });
      log.record(entry);
      // The log's own timer keeps no process alive.
      setTimeout(() => resolve(''), 5000).unref();
    });
    expect(text).toContain('"path":"/cart"');
  });

  test('drops and counts what the credit does not cover, and goes on when it is given back', () => {
    let told = 0;
    const sent: { bytes: number; dropped: number }[] = [];
    const log = new AccessLog({
      send: (text, dropped) => sent.push({ bytes: text.length, dropped }),
      dropped: (lines) => (told += lines),
      creditBytes: 40_000,
    });
    for (let line = 0; line < 1000; line++) log.record(entry);
    log.flush();
    const bytes = sent.reduce((sum, batch) => sum + batch.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(40_000);
    expect(bytes).toBeGreaterThan(39_000);
    const lineBytes = bytes / (1000 - told);
    expect(Number.isInteger(lineBytes)).toBe(true);
    log.credit(lineBytes);
    const before = sent.length;
    log.record(entry);
    log.record(entry);
    log.flush();
    expect(sent.slice(before)).toEqual([{ bytes: lineBytes, dropped: 1 }]);
    expect(sent.reduce((sum, batch) => sum + batch.dropped, 0)).toBe(told);
  });
});
