import { describe, expect, test } from '@jest/globals';

import {
  Http2Rig,
  data,
  get,
  post,
  reset,
  settings,
  settingsAck,
  windowUpdate,
} from '../../test/support/http2-rig.ts';
import { HeaderList } from '../util/header-list.ts';
import { flag, setting } from './frames.ts';

// Windows and back-pressure both ways (RFC 9113 §5.2, §6.9).

const bytes = (length: number): Buffer => Buffer.alloc(length, 'x');
const DATA = 16_384;

/** A server with streams whose heads have been answered; the answers were taken. */
function answering(streams: readonly number[], initialWindow: number): Http2Rig {
  const rig = new Http2Rig();
  rig.receive(settings([setting.initialWindowSize, initialWindow]));
  for (const id of streams) {
    rig.receive(rig.headers(id, get));
    rig.stream(id).respond(200, new HeaderList(), false);
  }
  rig.answers();
  rig.told();
  return rig;
}

function write(rig: Http2Rig, id: number, length: number): boolean {
  return rig.stream(id).write(bytes(length), 0, length);
}

describe('sending', () => {
  test('a body is cut into frames of the size that everybody takes', () => {
    const rig = answering([1], 2 ** 20);
    expect(write(rig, 1, 40_000)).toBe(true);
    rig.stream(1).end();
    expect(rig.answers()).toEqual(['DATA 1 16384', 'DATA 1 16384', 'DATA 1 7232 end']);
    expect(rig.connection.openStreams).toBe(0);
  });

  test('the window of a stream stops it, and each byte of more lets a byte go', () => {
    const rig = answering([1], 10);
    expect(write(rig, 1, 12)).toBe(false);
    rig.stream(1).end();
    expect(rig.stream(1).isWaiting).toBe(true);
    expect(rig.answers()).toEqual(['DATA 1 10']);
    rig.receive(windowUpdate(1, 1));
    expect(rig.answers()).toEqual(['DATA 1 1']);
    rig.receive(windowUpdate(1, 1));
    expect(rig.answers()).toEqual(['DATA 1 1 end']);
    expect(rig.told()).toEqual([]);
  });

  test('the window of the connection stops all streams', () => {
    const rig = answering([1, 3], 2 ** 20);
    expect(write(rig, 1, 65_535)).toBe(true);
    expect(write(rig, 3, 10)).toBe(false);
    expect(rig.answers()).toHaveLength(4);
    rig.receive(windowUpdate(0, 4));
    expect(rig.answers()).toEqual(['DATA 3 4']);
    rig.receive(windowUpdate(0, 100));
    expect(rig.answers()).toEqual(['DATA 3 6']);
    expect(rig.told()).toEqual(['writable 3']);
  });

  test('§6.9.2 a lowered initial window goes below zero, and has to be filled up first', () => {
    const rig = answering([1], 100);
    write(rig, 1, 150);
    expect(rig.answers()).toEqual(['DATA 1 100']);
    rig.receive(settings([setting.initialWindowSize, 40]), windowUpdate(1, 60));
    expect(rig.answers()).toEqual([]);
    rig.receive(windowUpdate(1, 5));
    expect(rig.answers()).toEqual(['DATA 1 5']);
    rig.receive(settings([setting.initialWindowSize, 100]));
    expect(rig.answers()).toEqual(['DATA 1 45']);
    expect(rig.told()).toEqual(['writable 1']);
  });

  test('an end without bytes needs no window', () => {
    const rig = answering([1], 0);
    rig.stream(1).end();
    expect(rig.answers()).toEqual(['DATA 1 0 end']);
  });

  test('trailers go behind what waits, even while the window is shut', () => {
    const rig = answering([1], 3);
    const trailers = new HeaderList();
    trailers.append('Grpc-Status', '0');
    write(rig, 1, 5);
    rig.stream(1).end(trailers);
    rig.stream(1).end();
    expect(write(rig, 1, 5)).toBe(true);
    expect(rig.answers()).toEqual(['DATA 1 3']);
    rig.receive(windowUpdate(1, 2));
    expect(rig.answers()).toEqual(['DATA 1 2', 'HEADERS 1 grpc-status=0 end']);
  });

  test('streams that wait get a frame each in turn, and no turn is lost when the output is full', () => {
    const rig = answering([1, 3, 5], 2 ** 24);
    rig.receive(windowUpdate(0, 2 ** 24));
    for (const id of [1, 3, 5]) write(rig, id, 20 * DATA);
    // The first one filled the output; from now on nobody sends twice before the others have once.
    const order = rig.answers().map((line) => Number(line.split(' ')[1]));
    expect(order.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 1));
    expect(order.slice(16, 28)).toEqual([1, 3, 5, 1, 3, 5, 1, 3, 5, 1, 3, 5]);
    expect(order.slice(28)).toEqual(Array.from({ length: 32 }, (_, n) => (n % 2 === 0 ? 3 : 5)));
    expect(rig.told()).toEqual(['writable 1', 'writable 3', 'writable 5']);
  });

  test('a hundred streams with more than the output takes: after every round all are equally far', () => {
    const ids = Array.from({ length: 100 }, (_, n) => 1 + 2 * n);
    const rig = answering(ids, 2 ** 20);
    for (const id of ids) write(rig, id, 10_000);
    const seen = new Map(ids.map((id) => [id, 0]));
    for (let round = 0; round < 20; round++) {
      rig.receive(windowUpdate(0, 50_000));
      for (const line of rig.answers()) {
        const [, id, length] = line.split(' ').map(Number);
        seen.set(id as number, (seen.get(id as number) ?? 0) + (length as number));
      }
    }
    expect([...seen.values()].every((sent) => sent === 10_000)).toBe(true);
    expect(rig.connection.heldBytes).toBe(0);
  });

  test('output that is not taken is back-pressure too', () => {
    const rig = answering([1], 2 ** 24);
    rig.receive(windowUpdate(0, 2 ** 24));
    let isTaken = true;
    for (let count = 0; isTaken && count < 100; count++) isTaken = write(rig, 1, 50_000);
    expect(isTaken).toBe(false);
    expect(rig.connection.wantsInput).toBe(false);
    expect(rig.connection.heldBytes).toBeLessThan(262_144 + 100_000);
    rig.answers();
    expect(rig.told()).toEqual(['writable 1']);
    expect(rig.connection.wantsInput).toBe(true);
  });

  test('who is told that there is room may write at once', () => {
    const rig = answering([1], 4);
    let left = 5;
    rig.onWritable = (stream) => {
      if (left-- > 0) stream.write(bytes(2), 0, 2);
      else stream.end();
    };
    write(rig, 1, 6);
    rig.receive(windowUpdate(1, 100));
    expect(rig.answers()).toEqual(['DATA 1 4', 'DATA 1 2', 'DATA 1 2']);
    expect(rig.told()).toEqual(['writable 1']);
  });

  test('a stream whose bytes wait may be reset from either side, and holds nothing then', () => {
    const rig = answering([1, 3], 0);
    write(rig, 1, 1000);
    write(rig, 3, 1000);
    expect(rig.connection.heldBytes).toBe(2000);
    rig.receive(reset(1));
    expect(rig.told()).toEqual(['reset 1 CANCEL peer']);
    rig.stream(3).reset('INTERNAL_ERROR');
    expect(rig.answers()).toEqual(['RST_STREAM 3 INTERNAL_ERROR']);
    expect(rig.told()).toEqual([]);
    expect(rig.connection.heldBytes).toBe(0);
    expect(rig.connection.openStreams).toBe(0);
    rig.receive(windowUpdate(3, 100), windowUpdate(0, 100));
    expect(rig.answers()).toEqual([]);
  });

  test('heads of 40,000 bytes go out as HEADERS and CONTINUATION', () => {
    const rig = new Http2Rig();
    rig.receive(rig.headers(1, get));
    const headers = new HeaderList();
    headers.append('x', '~'.repeat(40_000));
    rig.stream(1).respond(200, headers, true);
    const out = rig.connection.take() ?? Buffer.alloc(0);
    const peer = new Http2Rig({ role: 'client', limits: { maxHeaderBytes: 100_000 } });
    peer.open();
    const ours = out.subarray(out.indexOf(Buffer.from([1, flag.endStream, 0, 0, 0, 1])) - 3);
    peer.receive(ours);
    expect(peer.told()).toEqual([`response 1 200 x=${'~'.repeat(40_000)}`, 'end 1']);
  });
});

describe('receiving', () => {
  /** Windows that can be counted by hand, known to the peer. */
  function small(streamWindowBytes: number): Http2Rig {
    const rig = new Http2Rig({ limits: { streamWindowBytes, connectionWindowBytes: 65_535 } });
    rig.receive(settingsAck());
    rig.consumes = false;
    return rig;
  }

  test('window is given back when half of it was consumed', () => {
    const rig = small(100);
    rig.receive(rig.headers(1, post, 0), data(1, bytes(100)));
    rig.stream(1).consume(49);
    expect(rig.sent()).toEqual([]);
    rig.stream(1).consume(1);
    expect(rig.sent()).toEqual(['WINDOW_UPDATE 1 50']);
    rig.receive(data(1, bytes(50)));
    expect(rig.answers()).toEqual([]);
    rig.receive(data(1, bytes(1)));
    expect(rig.answers()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
    expect(rig.told().at(-2)).toBe('reset 1 FLOW_CONTROL_ERROR fault');
  });

  test('a window that may grow doubles as it is consumed, up to its limit', () => {
    const limits = { streamWindowBytes: 100, grownWindowBytes: 350, connectionWindowBytes: 65_535 };
    const rig = new Http2Rig({ limits });
    rig.receive(settingsAck(), rig.headers(1, post, 0));
    const updates = [50, 100, 200, 175].map((length) => {
      rig.receive(data(1, bytes(length)));
      return rig.sent();
    });
    // What was consumed, and 100, then 150 (of the 200 that double it) more.
    expect(updates).toEqual([
      ['WINDOW_UPDATE 1 150'],
      ['WINDOW_UPDATE 1 250'],
      ['WINDOW_UPDATE 1 200'],
      ['WINDOW_UPDATE 1 175'],
    ]);
    rig.receive(data(1, bytes(350)), data(1, bytes(351)));
    expect(rig.answers()).toEqual(['WINDOW_UPDATE 1 350', 'RST_STREAM 1 FLOW_CONTROL_ERROR']);
  });

  test('it stays as it is where it must not grow', () => {
    const rig = new Http2Rig({ limits: { streamWindowBytes: 100, grownWindowBytes: 350 } });
    rig.receive(settingsAck(), rig.headers(1, post, 0));
    rig.stream(1).mayGrow = false;
    rig.receive(data(1, bytes(50)));
    expect(rig.sent()).toEqual(['WINDOW_UPDATE 1 50']);
  });

  test('padding counts, and comes back by itself', () => {
    const rig = small(100);
    rig.receive(
      rig.headers(1, post, 0),
      data(1, Buffer.concat([Buffer.from([60]), bytes(39), Buffer.alloc(60)]), flag.padded),
    );
    expect(rig.sent()).toEqual(['WINDOW_UPDATE 1 61']);
    rig.receive(data(1, bytes(61)));
    expect(rig.answers()).toEqual([]);
    rig.receive(data(1, bytes(1)));
    expect(rig.answers()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
  });

  test('the window of the connection ends the connection', () => {
    const rig = small(65_535);
    rig.receive(rig.headers(1, post, 0), rig.headers(3, post, 0));
    for (let count = 0; count < 3; count++) rig.receive(data(1, bytes(DATA)));
    rig.receive(data(3, bytes(DATA)));
    expect(rig.answers()).toEqual(['GOAWAY 3 FLOW_CONTROL_ERROR']);
  });

  test('what comes for streams that were reset is given back', () => {
    const rig = small(65_535);
    rig.receive(rig.headers(1, post, 0), data(1, bytes(DATA)));
    rig.stream(1).reset('CANCEL');
    rig.answers();
    for (let count = 0; count < 20; count++) {
      rig.receive(data(1, bytes(DATA)));
      rig.stream(1).consume(DATA);
      rig.sent();
    }
    expect(rig.connection.isClosing).toBe(false);
    expect(rig.told().filter((line) => line.startsWith('data'))).toEqual(['data 1 16384']);
  });

  test('streams that the peer resets, and those that are answered early, leave no window behind', () => {
    const rig = small(65_535);
    for (let id = 1; id < 201; id += 2) {
      rig.receive(rig.headers(id, post, 0), data(id, bytes(DATA)));
      if (id % 4 === 1) rig.receive(reset(id));
      else {
        rig.receive(data(id, '', flag.endStream));
        rig.stream(id).respond(200, new HeaderList(), true);
      }
      rig.sent();
    }
    expect(rig.connection.isClosing).toBe(false);
    expect(rig.connection.openStreams).toBe(0);
  });

  test('a client reads on after both sides have ended, and only then gives the window back', () => {
    const rig = new Http2Rig({ role: 'client', limits: { connectionWindowBytes: 65_535 } });
    rig.consumes = false;
    for (let id = 1; id <= 3; id += 2) {
      rig.open();
      rig.receive(
        rig.headers(id, [[':status', '200']], 0),
        data(id, bytes(DATA)),
        data(id, bytes(DATA - 1), flag.endStream),
      );
    }
    rig.sent();
    expect(rig.connection.openStreams).toBe(0);
    rig.stream(1).consume(2 * DATA);
    rig.stream(1).consume(2 * DATA);
    expect(rig.sent()).toEqual([]);
    rig.stream(3).consume(1);
    expect(rig.sent()).toEqual(['WINDOW_UPDATE 0 32768']);
  });

  test.each(['reset', 'discard'] as const)('who leaves a response that is over gives it back: %s', (way) => {
    const rig = new Http2Rig({ role: 'client', limits: { connectionWindowBytes: 65_535 } });
    rig.consumes = false;
    for (let id = 1; id < 41; id += 2) {
      rig.open();
      rig.receive(rig.headers(id, [[':status', '200']], 0), data(id, bytes(DATA), flag.endStream));
      if (way === 'reset') rig.stream(id).reset('CANCEL');
      else rig.stream(id).discard();
      rig.sent();
    }
    expect(rig.connection.isClosing).toBe(false);
  });

  test('§6.9.2 a smaller window holds from the moment that the peer has acknowledged it', () => {
    const rig = new Http2Rig({ limits: { streamWindowBytes: 10 } });
    rig.consumes = false;
    rig.receive(rig.headers(1, post, 0), data(1, bytes(DATA)));
    expect(rig.answers()).toEqual([]);
    rig.receive(settingsAck(), rig.headers(3, post, 0), data(3, bytes(10)));
    rig.stream(1).consume(DATA);
    expect(rig.answers()).toEqual(['WINDOW_UPDATE 1 16384']);
    rig.receive(data(1, bytes(10)));
    expect(rig.answers()).toEqual([]);
    rig.receive(data(1, bytes(1)), data(3, bytes(1)));
    expect(rig.answers()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR', 'RST_STREAM 3 FLOW_CONTROL_ERROR']);
  });

  test('who wants no more of a request: it is thrown away until the answer is complete', () => {
    const rig = small(65_535);
    rig.receive(rig.headers(1, post, 0), data(1, bytes(100)));
    rig.stream(1).discard();
    for (let count = 0; count < 10; count++) {
      rig.receive(data(1, bytes(DATA)));
      rig.sent();
    }
    rig.stream(1).respond(200, new HeaderList(), false);
    write(rig, 1, 5);
    rig.stream(1).end();
    expect(rig.answers()).toEqual(['HEADERS 1 :status=200', 'DATA 1 5 end', 'RST_STREAM 1 NO_ERROR']);
    expect(rig.told()).toEqual(['request 1 POST a.example/', 'data 1 100']);
    rig.receive(data(1, bytes(DATA)), data(1, '', flag.endStream));
    expect(rig.connection.isClosing).toBe(false);
  });
});
