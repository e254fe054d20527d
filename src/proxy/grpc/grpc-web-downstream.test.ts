import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { TunnelEnd } from '../../util/tunnel-end.ts';
import { HeaderList } from '../../util/header-list.ts';
import type { AnswerHead, Downstream } from '../downstream.ts';
import { translateGrpcWeb } from './grpc-web-downstream.ts';

type Fields = Readonly<Record<string, string>>;

/** Keeps what a client would get. */
class RecordedClient implements Downstream {
  readonly protocol = 'HTTP/1.1';
  readonly wantsTunnel = false;
  readonly hasPendingOutput = false;
  readonly isCongested = false;
  readonly isRequestComplete = true;
  readonly calls: string[] = [];
  answer: Omit<AnswerHead, 'headers'> | undefined;
  headers: Fields = {};
  text = '';

  informational(): void {
    this.calls.push('informational');
  }

  head({ headers, ...answer }: AnswerHead): void {
    this.answer = answer;
    this.headers = Object.fromEntries(headers.entries().map(([name, value]) => [name.toLowerCase(), value]));
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.text += buffer.toString('latin1', start, end);
  }

  flush(): boolean {
    this.calls.push('flush');
    return false;
  }

  end(trailers: HeaderList | undefined): void {
    this.calls.push(trailers === undefined ? 'end' : 'end with trailers');
  }

  abort(): void {
    this.calls.push('abort');
  }

  holdBody(): void {
    this.calls.push('hold');
  }

  takeBody(): void {
    this.calls.push('take');
  }

  openTunnel(): TunnelEnd {
    throw new Error('Got an upgrade, want none');
  }
}

function list(fields: Fields): HeaderList {
  const headers = new HeaderList();
  for (const [name, value] of Object.entries(fields)) headers.append(name, value);
  return headers;
}

function translated(contentType: string, fields: Fields = {}) {
  const client = new RecordedClient();
  const request = { method: 'POST', headers: list({ 'content-type': contentType, ...fields }) };
  const web = translateGrpcWeb(request, client);
  if (web === undefined) throw new Error(`Got no translation of ${contentType}`);
  return { client, request, web };
}

function head(fields: Fields, status = 200): AnswerHead {
  return { status, reason: '', headers: list(fields), length: undefined, bodiless: true, close: false };
}

function message(text: string): Buffer {
  const bytes = Buffer.alloc(5 + text.length);
  bytes.writeUInt32BE(text.length, 1);
  bytes.write(text, 5, 'latin1');
  return bytes;
}

function trailers(text: string): string {
  return `\x80${message(text).toString('latin1').slice(1)}`;
}

/** Base64 in quanta that may each be padded. */
function unpadded(text: string): string {
  return (text.match(/.{4}/g) ?? [])
    .map((quantum) => Buffer.from(quantum, 'base64').toString('latin1'))
    .join('');
}

const grpc = { 'content-type': 'application/grpc+proto' };

describe('the request', () => {
  test('becomes one of gRPC', () => {
    const { request, web } = translated('application/grpc-web-text+proto', {
      accept: 'application/grpc-web-text',
      'x-grpc-web': '1',
    });
    expect(request.headers.entries()).toEqual([
      ['Content-Type', 'application/grpc+proto'],
      ['x-grpc-web', '1'],
    ]);
    expect(web.decodes).toBe(true);
    expect(web.decode(Buffer.from('AAAAAA=='))).toEqual(Buffer.alloc(4));
    expect(web.isBodyWhole).toBe(true);
    web.decode(Buffer.from('AA'));
    expect(web.isBodyWhole).toBe(false);
    expect(web.decode(Buffer.from('\r\n'))).toBeUndefined();
  });

  test('in binary keeps its body as it is', () => {
    const { web } = translated('application/grpc-web+proto');
    const bytes = message('x');
    expect(web.decodes).toBe(false);
    expect(web.decode(bytes)).toBe(bytes);
    expect(web.isBodyWhole).toBe(true);
  });

  test.each(['application/grpc', 'application/json'])('of %s is left alone', (contentType) => {
    const request = { method: 'POST', headers: list({ 'content-type': contentType }) };
    expect(translateGrpcWeb(request, new RecordedClient())).toBeUndefined();
    expect(request.headers.get('content-type')).toBe(contentType);
  });
});

describe('the answer', () => {
  test('ends with its trailers in a frame', () => {
    const { client, web } = translated('application/grpc-web+proto');
    web.head({ ...head({ ...grpc, 'x-one': '1' }), length: -1, bodiless: false });
    const bytes = message('hello');
    web.body(bytes, 0, 3);
    web.body(bytes, 3, bytes.length);
    expect(web.flush()).toBe(false);
    web.end(list({ 'Grpc-Status': '0', 'x-two': '2' }));
    expect(client.answer).toEqual({ status: 200, reason: '', length: -1, bodiless: false, close: false });
    expect(client.headers).toEqual({ 'content-type': 'application/grpc-web+proto', 'x-one': '1' });
    expect(client.text).toBe(
      `${message('hello').toString('latin1')}${trailers('grpc-status:0\r\nx-two:2\r\n')}`,
    );
    expect(client.calls).toEqual(['flush', 'end']);
  });

  test('in text can be read up to every flush', () => {
    const { client, web } = translated('application/grpc-web-text');
    web.head({ ...head(grpc), length: -1, bodiless: false });
    web.body(message('a'), 0, 6);
    web.body(message('bb'), 0, 7);
    web.flush();
    expect(client.text).toBe(Buffer.concat([message('a'), message('bb')]).toString('base64'));
    const sent = client.text.length;
    web.end(list({ 'grpc-status': '0' }));
    const rest = Buffer.from(client.text.slice(sent), 'base64').toString('latin1');
    expect(rest).toBe(trailers('grpc-status:0\r\n'));
    expect(client.headers['content-type']).toBe('application/grpc-web-text+proto');
  });

  test.each(['application/grpc-web', 'application/grpc-web-text'])(
    'of %s is the same however it comes and whenever it leaves',
    (contentType) => {
      const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.boolean()), { maxLength: 30 });
      fc.assert(
        fc.property(fc.array(fc.string({ unit: 'binary-ascii' })), pieces, (texts, steps) => {
          const { client, web } = translated(contentType);
          web.head({ ...head(grpc), length: -1, bodiless: false });
          const body = Buffer.concat(texts.map(message));
          let at = 0;
          for (const [length, leaves] of steps) {
            const end = Math.min(at + length, body.length);
            web.body(body, at, end);
            if (leaves) web.flush();
            at = end;
          }
          web.body(body, at, body.length);
          web.end(list({ 'grpc-status': '0' }));
          const isText = contentType.endsWith('text');
          const sent = isText ? unpadded(client.text) : client.text;
          expect(sent).toBe(body.toString('latin1') + trailers('grpc-status:0\r\n'));
        }),
      );
    },
  );

  test('of trailers alone has a body', () => {
    const { client, web } = translated('application/grpc-web');
    web.head(head({ ...grpc, 'grpc-status': '5', 'grpc-message': 'gone', 'x-one': '1' }));
    web.end(undefined);
    expect(client.answer).toMatchObject({ status: 200, length: -1, bodiless: false });
    expect(client.headers).toEqual({ 'content-type': 'application/grpc-web+proto', 'x-one': '1' });
    expect(client.text).toBe(trailers('grpc-status:5\r\ngrpc-message:gone\r\n'));
  });

  test('that is not gRPC is told by its status', () => {
    const { client, web } = translated('application/grpc-web+proto');
    web.head({ ...head({ 'content-type': 'text/html' }, 503), length: 4, bodiless: false });
    web.body(Buffer.from('page'), 0, 4);
    web.end(undefined);
    expect(client.answer).toMatchObject({ status: 200, length: -1 });
    expect(client.text).toBe(trailers('grpc-status:14\r\ngrpc-message:the server sent no status\r\n'));
  });

  test('without a status is no success', () => {
    const { client, web } = translated('application/grpc-web+proto');
    web.head({ ...head(grpc), length: -1, bodiless: false });
    web.end(undefined);
    expect(client.text).toContain('grpc-status:2\r\n');
  });

  test('that is cut between messages ends with an error', () => {
    const { client, web } = translated('application/grpc-web+proto');
    web.head({ ...head({ ...grpc, 'grpc-status': '0' }), length: -1, bodiless: false });
    web.body(message('one'), 0, 8);
    web.abort(list({ 'grpc-status': '14' }));
    expect(client.text).toBe(`${message('one').toString('latin1')}${trailers('grpc-status:14\r\n')}`);
    expect(client.calls).toEqual(['end']);
  });

  test.each([
    ['inside a message', 7, list({ 'grpc-status': '14' })],
    ['for a client that is not there', 8, undefined],
  ])('that is cut %s is cut', (_, end, last) => {
    const { client, web } = translated('application/grpc-web+proto');
    web.head({ ...head(grpc), length: -1, bodiless: false });
    web.body(message('one'), 0, end);
    web.abort(last);
    expect(client.calls).toEqual(['abort']);
  });

  test('that ends inside a message is cut too', () => {
    const { client, web } = translated('application/grpc-web-text');
    web.head({ ...head(grpc), length: -1, bodiless: false });
    web.body(message('one'), 0, 4);
    web.end(list({ 'grpc-status': '0' }));
    expect(client.calls).toEqual(['abort']);
  });
});
