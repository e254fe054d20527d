import type { FilterSpec } from './filter.ts';
import {
  applyHeaderEdits,
  headerEditsSchema,
  parseHeaderEdits,
  protectedInResponses,
} from './header-edits.ts';
import type { HeaderEdits } from './header-edits.ts';

export const responseHeaders: FilterSpec<HeaderEdits> = {
  name: 'responseHeaders',
  doc: 'Removes, sets and adds header fields of the response, also of answers that other filters make.',
  route: {
    schema: headerEditsSchema('response'),
    example: { set: [{ name: 'Cache-Control', value: 'no-store' }], remove: ['X-Powered-By'] },
    parse: (value, context) => parseHeaderEdits(value, context, protectedInResponses),
  },
  create(edits) {
    return {
      onResponse(response) {
        applyHeaderEdits(edits, response.headers);
      },
    };
  },
};
