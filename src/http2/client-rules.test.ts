import { describe, expect, test } from '@jest/globals';

import { HeaderList } from '../util/header-list.ts';
import {
  Http2Rig,
  data,
  frame,
  get,
  goaway,
  ping,
  post,
  reset,
  settings,
  windowUpdate,
} from '../../test/support/http2-rig.ts';
import type { Fields } from '../../test/support/http2-rig.ts';
import { flag, frameType, setting } from './frames.ts';

// Every MUST of RFC 9113 §§3–8 that a server can break towards us as its client.

type Case = readonly [name: string, frames: (rig: Http2Rig) => readonly Buffer[], answer: string];

const head = (rig: Http2Rig, status = '200', ...fields: Fields): Buffer =>
  rig.headers(1, [[':status', status], ...fields], 0);
const whole = (rig: Http2Rig, ...fields: Fields): Buffer => rig.headers(1, fields);

const connectionCases: readonly Case[] = [
  [
    '§5.1 HEADERS on a stream that we have not opened',
    (rig) => [rig.headers(3, [[':status', '200']])],
    'PROTOCOL_ERROR',
  ],
  ['§5.1.1 HEADERS on an even stream', (rig) => [rig.headers(2, [[':status', '200']])], 'PROTOCOL_ERROR'],
  ['§5.1 DATA on an idle stream', () => [data(3, 'x')], 'PROTOCOL_ERROR'],
  ['§5.1 RST_STREAM on an idle stream', () => [reset(3)], 'PROTOCOL_ERROR'],
  ['§5.1 WINDOW_UPDATE on an idle stream', () => [windowUpdate(3, 1)], 'PROTOCOL_ERROR'],
  [
    '§5.1 DATA behind the end of both sides',
    (rig) => [whole(rig, [':status', '200']), data(1, 'x')],
    'STREAM_CLOSED',
  ],
  [
    '§5.1 HEADERS behind the end of both sides',
    (rig) => [whole(rig, [':status', '200']), whole(rig, ['x', 'y'])],
    'STREAM_CLOSED',
  ],
  ['§6.5.2 ENABLE_PUSH of a server', () => [settings([setting.enablePush, 1])], 'PROTOCOL_ERROR'],
  [
    '§8.4 PUSH_PROMISE, which we said we do not take',
    () => [frame(frameType.pushPromise, 4, 1, '\0\0\0\x02\x88')],
    'PROTOCOL_ERROR',
  ],
  ['§6.8 GOAWAY that names more than before', () => [goaway(1), goaway(3)], 'PROTOCOL_ERROR'],
  [
    '§4.3 a block that cannot be decoded',
    () => [frame(frameType.headers, 5, 1, '\xff')],
    'COMPRESSION_ERROR',
  ],
];

const streamCases: readonly Case[] = [
  ['§8.1 DATA before the head', () => [data(1, 'x')], 'PROTOCOL_ERROR'],
  ['§8.1 DATA behind an informational head', (rig) => [head(rig, '103'), data(1, 'x')], 'PROTOCOL_ERROR'],
  [
    '§8.1 an informational head that ends the stream',
    (rig) => [whole(rig, [':status', '103'])],
    'PROTOCOL_ERROR',
  ],
  ['§8.1 a second final head', (rig) => [head(rig), head(rig)], 'PROTOCOL_ERROR'],
  [
    '§8.1 an informational head behind the final one',
    (rig) => [head(rig), head(rig, '103')],
    'PROTOCOL_ERROR',
  ],
  ['§8.1 a pseudo-field in trailers', (rig) => [head(rig), whole(rig, [':status', '200'])], 'PROTOCOL_ERROR'],
  [
    '§8.1.1 more DATA than content-length',
    (rig) => [head(rig, '200', ['content-length', '1']), data(1, 'ab')],
    'PROTOCOL_ERROR',
  ],
  [
    '§8.1.1 less DATA than content-length',
    (rig) => [head(rig, '200', ['content-length', '3']), data(1, 'ab', 1)],
    'PROTOCOL_ERROR',
  ],
  [
    '§8.1.1 no DATA for a content-length',
    (rig) => [whole(rig, [':status', '200'], ['content-length', '3'])],
    'PROTOCOL_ERROR',
  ],
  ['§8.1.1 DATA of a 204', (rig) => [head(rig, '204'), data(1, 'ab')], 'PROTOCOL_ERROR'],
  [
    '§8.1.1 DATA of a 304',
    (rig) => [head(rig, '304', ['content-length', '2']), data(1, 'ab')],
    'PROTOCOL_ERROR',
  ],
  ['§8.3.2 no :status', (rig) => [whole(rig, ['x', 'y'])], 'PROTOCOL_ERROR'],
  ['§8.3.2 :status twice', (rig) => [whole(rig, [':status', '200'], [':status', '200'])], 'PROTOCOL_ERROR'],
  ['§8.3.2 :status of four digits', (rig) => [whole(rig, [':status', '2000'])], 'PROTOCOL_ERROR'],
  ['§8.3.2 :status 099', (rig) => [whole(rig, [':status', '099'])], 'PROTOCOL_ERROR'],
  ['§8.3.2 :status 600', (rig) => [whole(rig, [':status', '600'])], 'PROTOCOL_ERROR'],
  ['§8.6 :status 101', (rig) => [head(rig, '101')], 'PROTOCOL_ERROR'],
  ['§8.3 :path in a response', (rig) => [whole(rig, [':status', '200'], [':path', '/'])], 'PROTOCOL_ERROR'],
  ['§8.2.2 connection', (rig) => [whole(rig, [':status', '200'], ['connection', 'close'])], 'PROTOCOL_ERROR'],
  ['§8.2.1 a name in upper case', (rig) => [whole(rig, [':status', '200'], ['X', 'y'])], 'PROTOCOL_ERROR'],
  ['§6.9 WINDOW_UPDATE of 0', () => [windowUpdate(1, 0)], 'PROTOCOL_ERROR'],
  ['§6.9.1 a window above the maximum', () => [windowUpdate(1, 2 ** 31 - 1)], 'FLOW_CONTROL_ERROR'],
  [
    'a head beyond the limits',
    (rig) => [
      frame(frameType.headers, 0, 1, ''),
      frame(
        frameType.continuation,
        4,
        1,
        rig.block([
          [':status', '200'],
          ...Array.from({ length: 101 }, (): [string, string] => ['set-cookie', 'a']),
        ]),
      ),
    ],
    'ENHANCE_YOUR_CALM',
  ],
];

describe.each([
  ['whole', false],
  ['byte by byte', true],
])('a server that breaks a rule (%s)', (_how, cut) => {
  test.each(connectionCases)('connection error: %s', (_name, frames, code) => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open();
    rig.answers();
    expect(rig.feed(frames(rig), cut)).toEqual([`GOAWAY 0 ${code}`]);
    expect(rig.told().at(-1)).toMatch(`failed ${code} `);
    expect(rig.connection.room).toBe(0);
  });

  test.each(streamCases)('stream error: %s', (_name, frames, code) => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open();
    rig.answers();
    expect(rig.feed(frames(rig), cut)).toEqual([`RST_STREAM 1 ${code}`]);
    expect(rig.told()).toContain(`reset 1 ${code} fault`);
    rig.open();
    expect(rig.feed([rig.headers(3, [[':status', '200']])], cut)).toEqual([
      'HEADERS 3 :method=GET :scheme=https :path=/ :authority=a.example end',
    ]);
    expect(rig.told()).toEqual(['response 3 200', 'end 3']);
  });
});

describe('a response', () => {
  test('informational heads, the final one, body, trailers', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open();
    rig.receive(head(rig, '100'), head(rig, '103', ['link', '</a>']), head(rig, '200', ['x', 'y']));
    rig.receive(data(1, 'hello'), whole(rig, ['grpc-status', '0']));
    expect(rig.told()).toEqual([
      'response 1 100',
      'response 1 103 link=</a>',
      'response 1 200 x=y',
      'data 1 5',
      'end 1 grpc-status=0',
    ]);
    expect(rig.connection.openStreams).toBe(0);
  });

  test.each([
    ['to HEAD, ended by its head', 'HEAD', '200', true],
    ['to HEAD, ended by empty DATA', 'HEAD', '200', false],
    ['304, ended by its head', 'GET', '304', true],
    ['304, ended by empty DATA', 'GET', '304', false],
  ])('%s: content-length speaks of another one', (_name, method, status, atOnce) => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open([[':method', method], ...get.slice(1)]);
    const fields: Fields = [
      [':status', status],
      ['content-length', '1000'],
    ];
    rig.receive(rig.headers(1, fields, atOnce ? flag.endStream : 0));
    if (!atOnce) rig.receive(data(1, '', flag.endStream));
    expect(rig.told()).toEqual([`response 1 ${status} content-length=1000`, 'end 1']);
  });

  test('trailers alone, as gRPC sends them', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open(post, false);
    rig.receive(whole(rig, [':status', '200'], ['grpc-status', '5']));
    expect(rig.told()).toEqual(['response 1 200 grpc-status=5', 'end 1']);
    // Our side is open still: the server may ask us to stop (§8.1).
    expect(rig.connection.openStreams).toBe(1);
    rig.receive(reset(1, 0));
    expect(rig.told()).toEqual(['reset 1 NO_ERROR peer']);
  });

  test('to CONNECT: a tunnel after 2xx, an answer like others else', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.receive(settings([setting.enableConnectProtocol, 1]));
    expect(rig.connection.peer.enableConnectProtocol).toBe(true);
    const connect: Fields = [[':method', 'CONNECT'], [':protocol', 'websocket'], ...get.slice(1)];
    rig.open(connect, false);
    rig.open(connect, false);
    rig.answers();
    rig.receive(rig.headers(1, [[':status', '200']], 0), data(1, 'frames'), rig.headers(1, [['x', 'y']]));
    expect(rig.answers()).toEqual(['RST_STREAM 1 PROTOCOL_ERROR']);
    rig.told();
    rig.receive(
      rig.headers(
        3,
        [
          [':status', '403'],
          ['content-length', '1'],
        ],
        0,
      ),
      data(3, 'x'),
      rig.headers(3, [['x', 'y']]),
    );
    expect(rig.told()).toEqual(['response 3 403 content-length=1', 'data 3 1', 'end 3 x=y']);
  });
});

describe('opening streams', () => {
  test('what a client says first', () => {
    const rig = new Http2Rig({ role: 'client', silent: true });
    expect(rig.sent()).toEqual([
      'preface',
      'SETTINGS initialWindowSize=262144 maxHeaderListSize=35968 enablePush=0',
      'WINDOW_UPDATE 0 983041',
    ]);
    expect(rig.connection.room).toBe(100);
  });

  test('no more than either side allows', () => {
    const rig = new Http2Rig({ role: 'client' });
    expect(rig.connection.room).toBe(100);
    rig.receive(settings([setting.maxConcurrentStreams, 2]));
    rig.open();
    rig.open();
    expect(rig.connection.room).toBe(0);
    expect(() => rig.open()).toThrow('no room');
    rig.receive(settings([setting.maxConcurrentStreams, 1]));
    rig.receive(whole(rig, [':status', '200']));
    expect(rig.connection.room).toBe(0);
    rig.receive(rig.headers(3, [[':status', '200']]));
    expect(rig.connection.room).toBe(1);
  });

  test('GOAWAY: what was not processed may go elsewhere, the rest runs on', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open();
    rig.open();
    rig.open();
    rig.receive(goaway(2 ** 31 - 1), ping());
    expect(rig.told()).toEqual(['goaway 2147483647 NO_ERROR']);
    expect(rig.connection.room).toBe(0);
    rig.receive(goaway(1, 11));
    expect(rig.told()).toEqual([
      'reset 3 REFUSED_STREAM peer',
      'reset 5 REFUSED_STREAM peer',
      'goaway 1 ENHANCE_YOUR_CALM',
    ]);
    rig.receive(head(rig), data(1, 'x', 1));
    expect(rig.told()).toEqual(['response 1 200', 'data 1 1', 'end 1']);
    expect(rig.connection.openStreams).toBe(0);
    expect(rig.connection.isClosing).toBe(true);
  });

  test('RST_STREAM of the server, with its own word', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open(post, false);
    rig.receive(reset(1, 0x77));
    expect(rig.told()).toEqual(['reset 1 119 peer']);
    expect(rig.stream(1).isClosed).toBe(true);
    expect(rig.stream(1).write(Buffer.from('x'), 0, 1)).toBe(true);
    rig.stream(1).end();
    rig.stream(1).reset('CANCEL');
    rig.answers();
    expect(rig.connection.heldBytes).toBe(0);
  });

  test('when the transport goes, every stream hears of it once', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.open();
    rig.open(post, false);
    rig.connection.close();
    rig.connection.close();
    expect(rig.told()).toEqual(['reset 1 CANCEL connection', 'reset 3 CANCEL connection']);
    rig.stream(1).respond(200, new HeaderList(), true);
    expect(rig.connection.room).toBe(0);
  });

  test('a sign of life', () => {
    const rig = new Http2Rig({ role: 'client' });
    rig.connection.ping();
    const [line] = rig.answers();
    expect(line).toMatch(/^PING .{8}$/);
    rig.receive(ping('somebody', flag.ack));
    expect(rig.told()).toEqual([]);
    rig.receive(ping(line?.slice(5), flag.ack));
    expect(rig.told()).toEqual(['pong']);
    rig.receive(ping(line?.slice(5), flag.ack));
    expect(rig.told()).toEqual([]);
  });
});
