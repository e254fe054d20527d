import { describe, expect, test } from '@jest/globals';
import { HeaderList } from '../../util/header-list.ts';
import { cutTrailers, grpcAnswer } from './grpc-answer.ts';
import type { HttpAnswer } from './grpc-answer.ts';

function fields(entries: Readonly<Record<string, string>>): HeaderList {
  const list = new HeaderList();
  for (const [name, value] of Object.entries(entries)) list.append(name, value);
  return list;
}

function call(headers: Readonly<Record<string, string>>, method = 'POST') {
  return { method, headers: fields(headers) };
}

function unavailable(): HttpAnswer & { readonly headers: HeaderList } {
  return {
    status: 503,
    headers: fields({ 'Content-Type': 'text/plain; charset=utf-8', 'X-Request-ID': 'abc' }),
    text: '503 Service Unavailable\n',
    error: 'SP_NO_ENDPOINTS',
  };
}

describe('an answer of ours', () => {
  test('is trailers alone to gRPC', () => {
    const answer = unavailable();
    expect(grpcAnswer(call({ 'content-type': 'application/grpc+proto' }), answer)).toEqual(Buffer.alloc(0));
    expect(answer.headers.entries()).toEqual([
      ['Content-Type', 'application/grpc+proto'],
      ['X-Request-ID', 'abc'],
      ['grpc-status', '14'],
      ['grpc-message', '503 Service Unavailable'],
    ]);
  });

  test('has its status in the body to gRPC-Web, where no header has to be exposed', () => {
    const answer = unavailable();
    const body = grpcAnswer(call({ 'content-type': 'application/grpc-web+proto' }), answer);
    const lines = 'grpc-status:14\r\ngrpc-message:503 Service Unavailable\r\n';
    expect(body?.toString()).toBe(`${Buffer.from([0x80, 0, 0, 0, lines.length]).toString()}${lines}`);
    expect(answer.headers.entries()).toEqual([
      ['Content-Type', 'application/grpc-web+proto'],
      ['X-Request-ID', 'abc'],
    ]);
  });

  test('is text where the client accepts text', () => {
    const answer = unavailable();
    const request = call({
      'content-type': 'application/grpc-web+proto',
      accept: 'application/grpc-web-text',
    });
    const body = Buffer.from(grpcAnswer(request, answer)?.toString() ?? '', 'base64');
    expect(body.toString('latin1', 5)).toContain('grpc-status:14\r\n');
    expect(answer.headers.get('content-type')).toBe('application/grpc-web-text+proto');
  });

  test('of a filter goes by its status, and leads nowhere', () => {
    const answer = {
      status: 401,
      headers: fields({ Location: 'https://login.example/' }),
      text: '',
      error: undefined,
    };
    grpcAnswer(call({ 'content-type': 'application/grpc' }), answer);
    expect(answer.headers.entries()).toEqual([
      ['Content-Type', 'application/grpc'],
      ['grpc-status', '16'],
      ['grpc-message', 'HTTP status 401'],
    ]);
  });

  test('that came too late for the client is DEADLINE_EXCEEDED', () => {
    const answer: HttpAnswer = { ...unavailable(), status: 504, error: 'SP_UPSTREAM_TIMEOUT' };
    grpcAnswer(call({ 'content-type': 'application/grpc', 'grpc-timeout': '1S' }), answer);
    expect(answer.headers.get('grpc-status')).toBe('4');
  });

  test.each([
    ['another type', { 'content-type': 'application/json' }, 'POST'],
    ['no type', {}, 'POST'],
    ['another method', { 'content-type': 'application/grpc' }, 'GET'],
  ])('stays as it is for %s', (_, headers, method) => {
    const answer = unavailable();
    expect(grpcAnswer(call(headers, method), answer)).toBeUndefined();
    expect(answer.headers.entries()).toEqual(unavailable().headers.entries());
  });
});

describe('an answer that is cut', () => {
  const request = call({ 'content-type': 'application/grpc' });

  test('ends with an error', () => {
    expect(cutTrailers(request, 'SP_UPSTREAM_RESET')?.entries()).toEqual([
      ['grpc-status', '14'],
      ['grpc-message', 'Bad Gateway'],
    ]);
  });

  test('has no end for who does not speak gRPC, nor for who is not there', () => {
    expect(cutTrailers(call({ 'content-type': 'text/plain' }), 'SP_UPSTREAM_RESET')).toBeUndefined();
    expect(cutTrailers(request, 'SP_CLIENT_SLOW')).toBeUndefined();
  });
});
