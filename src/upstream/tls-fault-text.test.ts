import { expect, test } from '@jest/globals';

import { tlsFaultText } from './tls-fault-text.ts';

test.each([
  ['CERT_HAS_EXPIRED', 'its certificate has expired (CERT_HAS_EXPIRED)'],
  ['ECONNRESET', 'ECONNRESET'],
])('%s', (code, text) => {
  expect(tlsFaultText(code)).toBe(text);
});
