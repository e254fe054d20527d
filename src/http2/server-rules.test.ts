import { describe, expect, test } from '@jest/globals';

import {
  Http2Rig,
  data,
  frame,
  get,
  goaway,
  ping,
  post,
  priority,
  reset,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from '../../test/support/http2-rig.ts';
import type { Fields } from '../../test/support/http2-rig.ts';
import { HeaderList } from '../util/header-list.ts';
import { PREFACE, flag, frameType, setting } from './frames.ts';

// Every MUST of RFC 9113 §§3–8 that a client can break: what it gets for it, and whether the connection lives on. Each
// case runs whole and byte by byte.

type Case = readonly [name: string, frames: (rig: Http2Rig) => readonly Buffer[], answer: readonly string[]];

const open = (rig: Http2Rig, stream = 1): Buffer => rig.headers(stream, post, 0);
const GOAWAY = (code: string, last = 0): string => `GOAWAY ${last} ${code}`;
const with1 = (...fields: Fields): Fields => [...get, ...fields];
/** What a handler's answer looks like when a request is done. */
const answered = (rig: Http2Rig, stream = 1): readonly Buffer[] => {
  rig.onRequest = (given) => given.respond(204, new HeaderList(), true);
  return [rig.headers(stream, get)];
};

const connectionCases: readonly Case[] = [
  [
    '§4.2 a frame above the size that we take',
    () => [frame(frameType.data, 0, 1, Buffer.alloc(16_385))],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  [
    '§4.2 an unknown frame above the size that we take',
    () => [frame(99, 0, 0, Buffer.alloc(16_385))],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  [
    '§4.3 a block that cannot be decoded',
    () => [frame(frameType.headers, 5, 1, '\x80')],
    [GOAWAY('COMPRESSION_ERROR')],
  ],
  ['§5.1 DATA on an idle stream', () => [data(1, 'x')], [GOAWAY('PROTOCOL_ERROR')]],
  ['§5.1 RST_STREAM on an idle stream', () => [reset(1)], [GOAWAY('PROTOCOL_ERROR')]],
  ['§5.1 WINDOW_UPDATE on an idle stream', () => [windowUpdate(1, 1)], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§5.1 WINDOW_UPDATE on a stream of ours, which never is',
    () => [windowUpdate(2, 1)],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§5.1 CONTINUATION on an idle stream',
    () => [frame(frameType.continuation, 4, 1)],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§5.1 DATA behind an RST_STREAM of the client',
    (rig) => [open(rig), reset(1), data(1, 'x')],
    [GOAWAY('STREAM_CLOSED', 1)],
  ],
  [
    '§5.1 HEADERS behind an RST_STREAM of the client',
    (rig) => [open(rig), reset(1), rig.headers(1, get)],
    [GOAWAY('STREAM_CLOSED', 1)],
  ],
  ['§5.1.1 an even stream', (rig) => [rig.headers(2, get)], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§5.1.1 a stream that was passed over',
    (rig) => [open(rig, 5), rig.headers(3, get)],
    [GOAWAY('PROTOCOL_ERROR', 5)],
  ],
  [
    '§5.1.1 DATA on a stream that was passed over',
    (rig) => [open(rig, 5), data(3, 'x')],
    [GOAWAY('STREAM_CLOSED', 5)],
  ],
  [
    '§5.5 an unknown frame inside a header block',
    () => [frame(frameType.headers, 0, 1), frame(99, 0, 1)],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  ['§6.1 DATA on stream 0', () => [data(0, 'x')], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§6.1 padding longer than DATA',
    (rig) => [open(rig), data(1, '\x04abc', flag.padded)],
    [GOAWAY('PROTOCOL_ERROR', 1)],
  ],
  [
    '§6.1 padded DATA without a length',
    (rig) => [open(rig), data(1, '', flag.padded)],
    [GOAWAY('FRAME_SIZE_ERROR', 1)],
  ],
  ['§6.2 HEADERS on stream 0', () => [frame(frameType.headers, 5, 0, '\x82')], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§6.2 padding longer than HEADERS',
    () => [frame(frameType.headers, 5 | flag.padded, 1, '\x02\x82')],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.2 padding over the priority of HEADERS',
    () => [frame(frameType.headers, 5 | flag.padded | flag.priority, 1, '\x02\0\0\0\0\x0f\x82')],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.2 HEADERS too short for a priority',
    () => [frame(frameType.headers, 5 | flag.priority, 1, '\0\0\0\0')],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  [
    'RFC 7540 §5.3.1 HEADERS that depend on themselves',
    () => [frame(frameType.headers, 5 | flag.priority, 1, '\0\0\0\x01\x0f\x82')],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.2 HEADERS inside a header block',
    () => [frame(frameType.headers, 0, 1), frame(frameType.headers, 0, 3)],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  ['§6.3 PRIORITY on stream 0', () => [priority(0, 1)], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§6.3 PRIORITY of a wrong size where nothing can be reset',
    () => [frame(frameType.priority, 0, 1, 'abcd')],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  ['§6.4 RST_STREAM on stream 0', () => [reset(0)], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§6.4 RST_STREAM of a wrong size',
    (rig) => [open(rig), frame(frameType.rstStream, 0, 1, 'abc')],
    [GOAWAY('FRAME_SIZE_ERROR', 1)],
  ],
  ['§6.5 SETTINGS on a stream', () => [frame(frameType.settings, 0, 1)], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§6.5 SETTINGS acknowledged with a payload',
    () => [frame(frameType.settings, flag.ack, 0, 'abcdef')],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  [
    '§6.5 SETTINGS of half an entry',
    () => [frame(frameType.settings, 0, 0, 'abc')],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  [
    '§6.5.2 ENABLE_PUSH other than 0 and 1',
    () => [settings([setting.enablePush, 2])],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.5.2 INITIAL_WINDOW_SIZE above the maximum',
    () => [settings([setting.initialWindowSize, 2 ** 31])],
    [GOAWAY('FLOW_CONTROL_ERROR')],
  ],
  [
    '§6.5.2 MAX_FRAME_SIZE below the minimum',
    () => [settings([setting.maxFrameSize, 16_383])],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.5.2 MAX_FRAME_SIZE above the maximum',
    () => [settings([setting.maxFrameSize, 2 ** 24])],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    'RFC 8441 §3 ENABLE_CONNECT_PROTOCOL taken back',
    () => [settings([8, 1]), settings([8, 0])],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.6 PUSH_PROMISE of a client',
    (rig) => [open(rig), frame(frameType.pushPromise, 4, 1, '\0\0\0\x02\x82')],
    [GOAWAY('PROTOCOL_ERROR', 1)],
  ],
  ['§6.7 PING on a stream', () => [frame(frameType.ping, 0, 1, '12345678')], [GOAWAY('PROTOCOL_ERROR')]],
  ['§6.7 PING of a wrong size', () => [ping('1234567')], [GOAWAY('FRAME_SIZE_ERROR')]],
  [
    '§6.8 GOAWAY on a stream',
    () => [frame(frameType.goaway, 0, 1, Buffer.alloc(8))],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.8 GOAWAY of a wrong size',
    () => [frame(frameType.goaway, 0, 0, Buffer.alloc(7))],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  ['§6.8 GOAWAY that names more than before', () => [goaway(1), goaway(3)], [GOAWAY('PROTOCOL_ERROR')]],
  ['§6.9 WINDOW_UPDATE of 0 on the connection', () => [windowUpdate(0, 0)], [GOAWAY('PROTOCOL_ERROR')]],
  [
    '§6.9 WINDOW_UPDATE of a wrong size',
    () => [frame(frameType.windowUpdate, 0, 0, 'abc')],
    [GOAWAY('FRAME_SIZE_ERROR')],
  ],
  [
    '§6.9.1 a window of the connection above the maximum',
    () => [windowUpdate(0, 2 ** 31 - 1)],
    [GOAWAY('FLOW_CONTROL_ERROR')],
  ],
  [
    '§6.9.2 a window of a stream above the maximum, by SETTINGS',
    (rig) => [
      open(rig),
      windowUpdate(1, 2 ** 31 - 1 - 65_535),
      settings([setting.initialWindowSize, 65_536]),
    ],
    [GOAWAY('FLOW_CONTROL_ERROR', 1)],
  ],
  [
    '§6.10 CONTINUATION without HEADERS',
    (rig) => [open(rig), frame(frameType.continuation, 4, 1)],
    [GOAWAY('PROTOCOL_ERROR', 1)],
  ],
  [
    '§6.10 CONTINUATION behind the end of a block',
    (rig) => [rig.headers(1, post, 0), frame(frameType.continuation, 4, 1, '\x82')],
    [GOAWAY('PROTOCOL_ERROR', 1)],
  ],
  [
    '§6.10 CONTINUATION of another stream',
    () => [frame(frameType.headers, 0, 1), frame(frameType.continuation, 4, 3)],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.10 CONTINUATION on stream 0',
    () => [frame(frameType.headers, 0, 1), frame(frameType.continuation, 4, 0)],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
  [
    '§6.10 DATA inside a header block',
    () => [frame(frameType.headers, 0, 1), data(1, 'x')],
    [GOAWAY('PROTOCOL_ERROR')],
  ],
];

/** No fault: nothing is answered but what says so. */
const allowedCases: readonly Case[] = [
  [
    '§6.1 padding that fills DATA',
    (rig) => [open(rig), data(1, '\x03\0\0\0', flag.padded), data(1, '\x01a\0', flag.padded)],
    [],
  ],
  [
    '§4.1 flags that nobody knows, and the reserved bit',
    (rig) => [frame(frameType.headers, 0xd2 | 5, 2 ** 31 + 1, rig.block(get))],
    [],
  ],
  [
    '§5.1 PRIORITY on idle and closed streams',
    (rig) => [priority(1, 0), ...answered(rig, 3), priority(3, 0)],
    ['HEADERS 3 :status=204 end'],
  ],
  [
    '§5.1 WINDOW_UPDATE and RST_STREAM behind the end',
    (rig) => [...answered(rig), windowUpdate(1, 1), reset(1)],
    ['HEADERS 1 :status=204 end'],
  ],
  ['§5.5 frames of unknown types', () => [frame(99, 0xff, 0, 'x'), frame(10, 0, 1, 'y')], []],
  [
    '§6.2 padding and priority in HEADERS',
    (rig) => [
      frame(
        frameType.headers,
        5 | flag.padded | flag.priority,
        1,
        Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 15]), rig.block(get), Buffer.alloc(3)]),
      ),
    ],
    [],
  ],
  ['§6.5.2 settings that nobody knows', () => [settings([0xff, 1], [3, 7])], []],
  ['§6.7 PING is answered with its payload', () => [ping('abcdefgh')], ['PING abcdefgh ack']],
  ['§6.9.1 the greatest window there may be', () => [windowUpdate(0, 2 ** 31 - 1 - 65_535)], []],
  ['§8.2.2 te: trailers', (rig) => [rig.headers(1, with1(['te', 'trailers']))], []],
  [
    '§8.2.1 bytes beyond ASCII and tabs inside a value',
    (rig) => [rig.headers(1, with1(['x', 'a\tb \xff']))],
    [],
  ],
  [
    'as many fields as allowed',
    (rig) => [
      rig.headers(1, with1(...Array.from({ length: 100 }, (_, n): [string, string] => [`x-${n}`, '']))),
    ],
    [],
  ],
  ['§6.5.3 SETTINGS acknowledged', () => [settingsAck()], []],
];

describe.each([
  ['whole', false],
  ['byte by byte', true],
])('a client that breaks a rule (%s)', (_how, cut) => {
  test.each(connectionCases)('connection error: %s', (_name, frames, answer) => {
    const rig = new Http2Rig();
    expect(rig.feed(frames(rig), cut)).toEqual(answer);
    const failed = rig.told().filter((line) => line.startsWith('failed'));
    expect(failed).toHaveLength(1);
    // Input behind a failure is not looked at.
    rig.receive(ping());
    expect(rig.answers()).toEqual([]);
    expect(rig.connection.openStreams).toBe(0);
  });

  test.each(allowedCases)('no error: %s', (_name, frames, answer) => {
    const rig = new Http2Rig();
    expect(rig.feed(frames(rig), cut)).toEqual(answer);
    expect(rig.connection.isClosing).toBe(false);
  });
});

describe('the preface', () => {
  const bad: readonly (readonly [string, Buffer])[] = [
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['one byte wrong', Buffer.concat([PREFACE.subarray(0, 23), Buffer.from('x')])],
    ['a frame that is not SETTINGS', Buffer.concat([PREFACE, ping()])],
    ['an acknowledgement instead of SETTINGS', Buffer.concat([PREFACE, settingsAck()])],
    ['an unknown frame before SETTINGS', Buffer.concat([PREFACE, frame(99, 0, 0)])],
  ];

  test.each(bad)('§3.4 %s', (_name, bytes) => {
    for (const cut of [false, true]) {
      const rig = new Http2Rig({ silent: true });
      expect(rig.feed([bytes], cut)).toEqual([GOAWAY('PROTOCOL_ERROR')]);
    }
  });

  test('our SETTINGS come first, then the window of the connection', () => {
    const rig = new Http2Rig({ silent: true, allowConnectProtocol: true });
    expect(rig.sent()).toEqual([
      'SETTINGS initialWindowSize=262144 maxHeaderListSize=35968 maxConcurrentStreams=100 enableConnectProtocol=1',
      'WINDOW_UPDATE 0 983041',
    ]);
    rig.receive(rig.hello([setting.initialWindowSize, 5]));
    expect(rig.sent()).toEqual(['SETTINGS ack']);
    expect(rig.connection.isAcknowledged).toBe(false);
    rig.receive(settingsAck());
    expect(rig.connection.isAcknowledged).toBe(true);
  });

  test('a window that is stated as 32 bits with the reserved one', () => {
    const rig = new Http2Rig();
    rig.receive(frame(frameType.windowUpdate, 0, 0, uint32(2 ** 31 + 1)));
    expect(rig.answers()).toEqual([]);
  });
});
