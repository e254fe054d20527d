import { expect, test } from '@jest/globals';

import { crc32c } from './crc32c.ts';

const counting = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

// RFC 3720 appendix B.4, and the check value that catalogues of CRCs give.
test.each<[string, Buffer, number]>([
  ['nothing', Buffer.alloc(0), 0],
  ['123456789', Buffer.from('123456789'), 0xe306_9283],
  ['32 zeros', Buffer.alloc(32), 0x8a91_36aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ['counting up', counting, 0x46dd_794e],
  ['counting down', Buffer.from(counting).reverse(), 0x113f_db5c],
])('%s', (_name, bytes, sum) => {
  expect(crc32c(bytes)).toBe(sum);
  const around = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('y')]);
  expect(crc32c(around, 2, 2 + bytes.length)).toBe(sum);
});
