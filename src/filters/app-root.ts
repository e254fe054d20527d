import type { AnnotationSpec, FilterSpec } from './filter.ts';
import { readAnnotation } from './read-annotation.ts';
import { currentTarget, redirectTo } from './location.ts';

interface AppRoot {
  /** Path, maybe with a query. */
  readonly path: string;
}

const appRootAnnotation: AnnotationSpec = {
  name: 'app-root',
  grammar: {
    kind: 'pattern',
    // One slash, then visible ASCII. `$` is left out: it would have been a variable.
    re2: String.raw`/(?:[!-#%-.0-\[\]-~][!-#%-~]*)?`,
    maxLength: 1024,
    want: "a path that starts with one '/'; variables are not expanded",
  },
  default: '',
  doc: 'Path that requests for exactly `/` are redirected to (302), on the scheme and host that the client used.',
};

export const appRoot: FilterSpec<AppRoot> = {
  name: 'appRoot',
  doc: 'Redirects requests for exactly `/` to the path of the application.',
  annotations: {
    answersRoot: true,
    known: [appRootAnnotation],
    parse(get, context) {
      const path = readAnnotation(appRootAnnotation, get, context);
      return path === '' ? undefined : { path };
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
