import { describe, expect, test } from '@jest/globals';

import { Http2Rig, data, frame, get, post, priority, windowUpdate } from '../../test/support/http2-rig.ts';
import type { Fields } from '../../test/support/http2-rig.ts';
import { HeaderList } from '../util/header-list.ts';
import { flag, frameType } from './frames.ts';

// What a client can break on one stream (RFC 9113 §5, §8): the stream is reset, or answered, and the connection lives on.

type Case = readonly [name: string, frames: (rig: Http2Rig) => readonly Buffer[], answer: readonly string[]];

const open = (rig: Http2Rig): Buffer => rig.headers(1, post, 0);
const RST = (code: string): string => `RST_STREAM 1 ${code}`;
const with1 = (...fields: Fields): Fields => [...get, ...fields];
const without = (name: string): Fields => get.filter(([given]) => given !== name);
const instead = (name: string, value: string): Fields =>
  get.map(([given, old]) => [given, given === name ? value : old]);

const streamCases: readonly Case[] = [
  ['§5.1 DATA behind END_STREAM', (rig) => [rig.headers(1, get), data(1, 'x')], [RST('STREAM_CLOSED')]],
  [
    '§5.1 HEADERS behind END_STREAM',
    (rig) => [rig.headers(1, get), rig.headers(1, get)],
    [RST('STREAM_CLOSED')],
  ],
  [
    '§6.3 PRIORITY of a wrong size',
    (rig) => [open(rig), frame(frameType.priority, 0, 1, 'abcd')],
    [RST('FRAME_SIZE_ERROR')],
  ],
  [
    'RFC 7540 §5.3.1 PRIORITY that depends on itself',
    (rig) => [open(rig), priority(1, 1)],
    [RST('PROTOCOL_ERROR')],
  ],
  ['§6.9 WINDOW_UPDATE of 0', (rig) => [open(rig), windowUpdate(1, 0)], [RST('PROTOCOL_ERROR')]],
  [
    '§6.9.1 a window above the maximum',
    (rig) => [open(rig), windowUpdate(1, 2 ** 31 - 1)],
    [RST('FLOW_CONTROL_ERROR')],
  ],
  ['§8.1 a second head', (rig) => [open(rig), rig.headers(1, post, 0)], [RST('PROTOCOL_ERROR')]],
  [
    '§8.1 a pseudo-field in trailers',
    (rig) => [open(rig), rig.headers(1, [[':method', 'GET']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.1 content-length in trailers',
    (rig) => [open(rig), rig.headers(1, [['content-length', '0']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.1.1 more DATA than content-length',
    (rig) => [rig.headers(1, [...post, ['content-length', '2']], 0), data(1, 'abc')],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.1.1 less DATA than content-length',
    (rig) => [rig.headers(1, [...post, ['content-length', '2']], 0), data(1, 'a', 1)],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.1.1 no DATA for a content-length',
    (rig) => [rig.headers(1, with1(['content-length', '2']))],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.1.1 trailers before content-length is reached',
    (rig) => [
      rig.headers(1, [...post, ['content-length', '2']], 0),
      data(1, 'a'),
      rig.headers(1, [['x', 'y']]),
    ],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.1.1 content-length twice',
    (rig) => [rig.headers(1, with1(['content-length', '0'], ['content-length', '0']))],
    [RST('PROTOCOL_ERROR')],
  ],
  ...['+0', '0,0', '-1', '', '1 0', '00', '0x1', '9007199254740993'].map((value): Case => [
    `§8.1.1 content-length '${value}'`,
    (rig) => [rig.headers(1, with1(['content-length', value]), 0)],
    [RST('PROTOCOL_ERROR')],
  ]),
  ...['X-A', 'x a', 'x:a', 'x\r\na', '', 'x\x7f', 'x\x80', 'x\0'].map((name): Case => [
    `§8.2.1 the name ${JSON.stringify(name)}`,
    (rig) => [rig.headers(1, with1([name, 'v']))],
    [RST('PROTOCOL_ERROR')],
  ]),
  ...['a\rb', 'a\nb', 'a\0b', ' a', 'a ', '\ta', 'a\t', 'a\x01', 'a\x7f'].map((value): Case => [
    `§8.2.1 the value ${JSON.stringify(value)}`,
    (rig) => [rig.headers(1, with1(['x', value]))],
    [RST('PROTOCOL_ERROR')],
  ]),
  ...(
    [
      ['connection', 'x'],
      ['keep-alive', 'x'],
      ['proxy-connection', 'x'],
      ['transfer-encoding', 'chunked'],
      ['upgrade', 'x'],
      ['te', 'gzip'],
      ['te', 'trailers, deflate'],
    ] as const
  ).map(([name, value]): Case => [
    `§8.2.2 ${name}: ${value}`,
    (rig) => [rig.headers(1, with1([name, value]))],
    [RST('PROTOCOL_ERROR')],
  ]),
  [
    '§8.2.2 transfer-encoding in trailers',
    (rig) => [open(rig), rig.headers(1, [['transfer-encoding', 'x']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.3 a pseudo-field behind a regular one',
    (rig) => [rig.headers(1, [...without(':path'), ['x', 'y'], [':path', '/']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.3 an unknown pseudo-field',
    (rig) => [rig.headers(1, [...get, [':odd', 'x']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.3 :status in a request',
    (rig) => [rig.headers(1, [...get, [':status', '200']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.3 :protocol that was not asked for',
    (rig) => [rig.headers(1, [...instead(':method', 'CONNECT'), [':protocol', 'websocket']])],
    [RST('PROTOCOL_ERROR')],
  ],
  ...get.flatMap(([name, value]): readonly Case[] => [
    [`§8.3.1 ${name} twice`, (rig) => [rig.headers(1, [...get, [name, value]])], [RST('PROTOCOL_ERROR')]],
    [`§8.3.1 ${name} missing`, (rig) => [rig.headers(1, without(name))], [RST('PROTOCOL_ERROR')]],
    [`§8.3.1 ${name} empty`, (rig) => [rig.headers(1, instead(name, ''))], [RST('PROTOCOL_ERROR')]],
  ]),
  ...(
    [
      [':method', 'GE T'],
      [':method', 'GET\r\n'],
      [':scheme', 'ftp'],
      [':scheme', 'https://a'],
      [':path', 'no-slash'],
      [':path', '*'],
      [':path', 'https://a.example/'],
      [':path', '/a b'],
      [':path', '/a\r\nb'],
      [':path', '/a\x7f'],
      [':authority', 'user@a.example'],
      [':authority', 'a b'],
      [':authority', 'a/b'],
      [':authority', 'a.example\\b'],
      [':authority', 'a?b'],
      [':authority', 'a\xe4'],
    ] as const
  ).map(([name, value]): Case => [
    `§8.3.1 ${name} ${JSON.stringify(value)}`,
    (rig) => [rig.headers(1, instead(name, value))],
    [RST('PROTOCOL_ERROR')],
  ]),
  [
    '§8.3.1 an empty host alone',
    (rig) => [rig.headers(1, [...without(':authority'), ['host', '']])],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.5 CONNECT with a path',
    (rig) => [rig.headers(1, instead(':method', 'CONNECT'), 0)],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.5 CONNECT without :authority',
    (rig) => [
      rig.headers(
        1,
        [
          [':method', 'CONNECT'],
          ['host', 'a:1'],
        ],
        0,
      ),
    ],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    '§8.5 HEADERS in a tunnel',
    (rig) => [
      rig.headers(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:1'],
        ],
        0,
      ),
      rig.headers(1, [['x', 'y']]),
    ],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    'RFC 9110 §9.3.6 content-length in CONNECT',
    (rig) => [
      rig.headers(
        1,
        [
          [':method', 'CONNECT'],
          [':authority', 'a:1'],
          ['content-length', '1'],
        ],
        0,
      ),
    ],
    [RST('PROTOCOL_ERROR')],
  ],
  [
    'more fields than allowed',
    (rig) => [
      rig.headers(1, with1(...Array.from({ length: 101 }, (_, n): [string, string] => [`x-${n}`, '']))),
    ],
    [RST('ENHANCE_YOUR_CALM')],
  ],
  [
    'more cookie crumbs than allowed',
    (rig) => [
      rig.headers(1, with1(...Array.from({ length: 101 }, (): [string, string] => ['cookie', 'a=b']))),
    ],
    [RST('ENHANCE_YOUR_CALM')],
  ],
  [
    'more trailers than allowed',
    (rig) => [
      open(rig),
      rig.headers(
        1,
        Array.from({ length: 33 }, (_, n): [string, string] => [`x-${n}`, '']),
      ),
    ],
    [RST('ENHANCE_YOUR_CALM')],
  ],
];

describe.each([
  ['whole', false],
  ['byte by byte', true],
])('a client that breaks a rule (%s)', (_how, cut) => {
  test.each(streamCases)('stream error: %s', (_name, frames, answer) => {
    const rig = new Http2Rig();
    expect(rig.feed(frames(rig), cut)).toEqual(answer);
    expect(rig.connection.openStreams).toBe(0);
    const told = rig.told();
    expect(told.filter((line) => line.startsWith('fault'))).toHaveLength(1);
    if (told.some((line) => line.startsWith('request'))) {
      expect(told.filter((line) => /^reset 1 \w+ fault$/.test(line))).toHaveLength(1);
    }
    // The next request is served, and the compression table is in step.
    expect(rig.feed([rig.headers(3, [...get, ['x-next', 'yes']])], cut)).toEqual([]);
    expect(rig.told()).toEqual(['request 3 GET a.example/ complete', 'end 3']);
  });
});

describe('a request that is not to be served', () => {
  test.each([
    ['V04 a fragment in :path', instead(':path', '/a#b'), 400],
    ['V04 a byte beyond ASCII in :path', instead(':path', '/\xe4'), 400],
    ['V08 :authority and host differ', with1(['host', 'evil']), 400],
    ['host twice', with1(['host', 'a.example'], ['host', 'a.example']), 400],
    ['V14 more bytes than allowed', with1(['x', 'y'.repeat(32_768)]), 431],
    [
      'V14 more bytes than allowed, in many fields',
      with1(...Array.from({ length: 90 }, (): [string, string] => ['x', 'y'.repeat(400)])),
      431,
    ],
    ['more bytes than allowed in :path', instead(':path', `/${'y'.repeat(32_768)}`), 431],
  ])('%s is answered', (_name, fields, status) => {
    const rig = new Http2Rig();
    rig.receive(...rig.split(1, fields, 16_384));
    expect(rig.told()).toEqual([
      `fault ${rig.faults[0]?.code} ${rig.faults[0]?.reason}`,
      `refused 1 ${status} ${rig.faults[0]?.reason}`,
    ]);
    rig.stream(1).respond(status, new HeaderList(), true);
    expect(rig.answers()).toEqual([`HEADERS 1 :status=${status} end`]);
    expect(rig.connection.openStreams).toBe(0);
  });

  test('its body is thrown away, and it is reset once the answer has left', () => {
    const rig = new Http2Rig();
    rig.receive(rig.headers(1, [...post, ['host', 'evil']], 0), data(1, Buffer.alloc(16_384)));
    rig.stream(1).respond(400, new HeaderList(), true);
    expect(rig.answers()).toEqual(['HEADERS 1 :status=400 end', 'RST_STREAM 1 NO_ERROR']);
    rig.receive(data(1, Buffer.alloc(16_384)), rig.headers(1, [['x', 'y']]));
    expect(rig.answers()).toEqual([]);
    expect(rig.connection.isClosing).toBe(false);
  });

  test('75 KB of fields while SETTINGS is not acknowledged', () => {
    const rig = new Http2Rig();
    const fields = with1(
      ...Array.from({ length: 75 }, (_, n): [string, string] => [`x-${n}`, '~'.repeat(1000)]),
    );
    const frames = rig.split(1, fields, 16_384);
    expect(Buffer.concat(frames).length).toBeGreaterThan(75_000);
    rig.receive(...frames);
    expect(rig.told().at(-1)).toBe('refused 1 431 head too large');
  });
});

describe('requests as they are handed over', () => {
  test('extended CONNECT: a tunnel in both directions', () => {
    const rig = new Http2Rig({ allowConnectProtocol: true });
    rig.receive(
      rig.headers(1, [...instead(':method', 'CONNECT'), [':protocol', 'websocket'], ['origin', 'o']], 0),
    );
    rig.stream(1).respond(200, new HeaderList(), false);
    rig.receive(data(1, 'ping'));
    rig.stream(1).write(Buffer.from('pong'), 0, 4);
    rig.receive(data(1, '', flag.endStream));
    rig.stream(1).end();
    expect(rig.requests[0]).toMatchObject({
      method: 'CONNECT',
      protocol: 'websocket',
      scheme: 'https',
      pathAndQuery: '/',
    });
    expect(rig.told()).toEqual(['request 1 CONNECT a.example/', 'data 1 4', 'end 1']);
    expect(rig.answers()).toEqual(['HEADERS 1 :status=200', 'DATA 1 4 end']);
    expect(rig.connection.openStreams).toBe(0);
  });

  test.each<[string, Fields, object]>([
    [
      'plain CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:443'],
      ],
      { method: 'CONNECT', scheme: '', authority: 'a:443', pathAndQuery: '' },
    ],
    [
      'OPTIONS of no path',
      [
        [':method', 'OPTIONS'],
        [':scheme', 'http'],
        [':path', '*'],
        [':authority', 'a'],
      ],
      { pathAndQuery: '*', scheme: 'http' },
    ],
    ['host alone', [...without(':authority'), ['host', 'A.example:8080']], { authority: 'A.example:8080' }],
    ['host in another case', with1(['host', 'A.Example']), { authority: 'a.example' }],
    ['V05 a method that nobody knows', instead(':method', 'get'), { method: 'get' }],
    ['V07 a list of hosts', instead(':authority', 'a,b'), { authority: 'a,b' }],
    ['V16 a body that looks like HTTP/1', post, { contentLength: -1 }],
    ['content-length', [...post, ['content-length', '0']], { contentLength: 0 }],
  ])('%s', (_name, fields, head) => {
    const rig = new Http2Rig();
    rig.receive(rig.headers(1, fields, 0));
    expect(rig.requests[0]).toMatchObject({ ...head, protocol: '' });
    expect(rig.requests[0]?.headers.has('host')).toBe(false);
    rig.receive(data(1, '', flag.endStream));
    expect(rig.told().slice(1)).toEqual(['end 1']);
  });

  test('body and trailers', () => {
    const rig = new Http2Rig();
    const body = '0\r\n\r\nGET /x HTTP/1.1\r\n\r\n';
    rig.receive(rig.headers(1, [...post, ['content-length', String(body.length)]], 0));
    rig.receive(
      data(1, body.slice(0, 5)),
      data(1, ''),
      data(1, body.slice(5)),
      rig.headers(1, [
        ['x-sum', '1'],
        ['te', 'trailers'],
      ]),
    );
    expect(rig.told()).toEqual([
      'request 1 POST a.example/',
      'data 1 5',
      `data 1 ${body.length - 5}`,
      'end 1 x-sum=1 te=trailers',
    ]);
    expect(rig.bodies.get(1)).toBe(body);
  });

  test('an answer without a head is none', () => {
    const rig = new Http2Rig();
    rig.receive(rig.headers(1, get));
    rig.stream(1).respond(103, new HeaderList(), false);
    rig.stream(1).end();
    expect(rig.answers()).toEqual(['HEADERS 1 :status=103', 'RST_STREAM 1 INTERNAL_ERROR']);
  });

  test('who resets while being asked hears nothing; a connection that goes is told', () => {
    const rig = new Http2Rig();
    rig.onRequest = (stream) => (stream.id === 1 ? stream.reset('REFUSED_STREAM') : rig.connection.close());
    rig.receive(rig.headers(1, get), rig.headers(3, get), rig.headers(5, get));
    expect(rig.told()).toEqual([
      'request 1 GET a.example/ complete',
      'request 3 GET a.example/ complete',
      'reset 3 CANCEL connection',
    ]);
    expect(rig.answers()).toEqual(['RST_STREAM 1 REFUSED_STREAM']);
  });
});
