import type { FilterSpec } from './filter.ts';
import { currentTarget, redirectTo } from './location.ts';
import { quote } from './value-reader.ts';

interface AppRoot {
  /** Path, maybe with a query. */
  readonly path: string;
}

/** Starts with one slash, then visible ASCII. `$` is left out: it would have been a variable. */
const APP_ROOT = /^\/(?![/\\])[!-#%-~]{0,1023}$/;

export const appRoot: FilterSpec<AppRoot> = {
  name: 'appRoot',
  doc: 'Redirects requests for exactly `/` to the path of the application.',
  annotations: {
    answersRoot: true,
    known: [
      {
        name: 'app-root',
        type: 'string',
        default: '',
        doc: 'Path that requests for exactly `/` are redirected to (302), on the scheme and host that the client used.',
      },
    ],
    parse(get, context) {
      const path = get('app-root')?.trim() ?? '';
      if (path === '') return undefined;
      if (APP_ROOT.test(path)) return { path };
      const want = "want a path that starts with one '/'; variables are not expanded";
      context.warn('SP4251', 'app-root', `Ignoring ${quote(path)}, ${want}`);
      return undefined;
    },
  },
  create({ path }) {
    return {
      onRequest(request) {
        if (request.path !== '/') return undefined;
        return redirectTo({ ...currentTarget(request), path, query: '' }, 302);
      },
    };
  },
};
