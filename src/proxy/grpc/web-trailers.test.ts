import { expect, test } from '@jest/globals';
import { HeaderList } from '../../util/header-list.ts';
import { trailersFrame } from './web-trailers.ts';

test('trailers are a frame of lines', () => {
  const trailers = new HeaderList();
  trailers.append('Grpc-Status', '0');
  trailers.append('x-name', 'caf\xe9');
  const frame = trailersFrame(trailers);
  expect(frame.subarray(0, 5)).toEqual(Buffer.from([0x80, 0, 0, 0, 28]));
  expect(frame.toString('latin1', 5)).toBe('grpc-status:0\r\nx-name:caf\xe9\r\n');
});

test('none of them are an empty frame', () => {
  expect(trailersFrame(new HeaderList())).toEqual(Buffer.from([0x80, 0, 0, 0, 0]));
});
