import type { FilterSpec } from './filter.ts';
import {
  applyHeaderEdits,
  headerEditsSchema,
  parseHeaderEdits,
  protectedInRequests,
} from './header-edits.ts';
import type { HeaderEdits } from './header-edits.ts';

export const requestHeaders: FilterSpec<HeaderEdits> = {
  name: 'requestHeaders',
  doc: 'Removes, sets and adds header fields of the request that goes upstream.',
  route: {
    schema: headerEditsSchema('request'),
    example: { set: [{ name: 'X-Tenant', value: 'blue' }], remove: ['X-Debug'] },
    parse: (value, context) => parseHeaderEdits(value, context, protectedInRequests),
  },
  create(edits) {
    return {
      onRequest(request) {
        applyHeaderEdits(edits, request.headers);
        return undefined;
      },
    };
  },
};
