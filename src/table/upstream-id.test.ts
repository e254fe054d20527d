import { expect, test } from '@jest/globals';

import { splitUpstreamId, variantId } from './upstream-id.ts';

test.each([
  ['team/web:80', { service: 'team/web', port: '80', variant: '' }],
  ['team/web:http', { service: 'team/web', port: 'http', variant: '' }],
  ['team/web:80+grpcs', { service: 'team/web', port: '80', variant: 'grpcs' }],
  ['team/web:http+https.0123abcd', { service: 'team/web', port: 'http', variant: 'https.0123abcd' }],
])('%s has its parts', (id, parts) => {
  expect(splitUpstreamId(id)).toEqual(parts);
  const { service, port, variant } = parts;
  if (variant !== '') expect(variantId(`${service}:${port}`, variant)).toBe(id);
});
