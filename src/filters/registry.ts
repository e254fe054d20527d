import { appRoot } from './app-root.ts';
import { cors } from './cors.ts';
import { createFilterRegistry } from './filter-registry.ts';
import { httpsRedirect } from './https-redirect.ts';
import { redirect } from './redirect.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { rewriteHost } from './rewrite-host.ts';
import { rewritePath } from './rewrite-path.ts';

/** The chain. A request goes down this list, its response goes up: the last line sees the response first. */
export const filterRegistry = createFilterRegistry([
  responseHeaders, // first, so that its response half runs last: what the user sets is what the client gets
  appRoot, // before redirect, as ingress-nginx decides it for the whole host
  cors, // before all other answers: browsers follow no redirect of a preflight request
  redirect, // answers by itself, from the URL as the client wrote it: so before every rewrite
  httpsRedirect, // after them, as in ingress-nginx: what they answer needs no second redirect
  requestHeaders, // after all that may answer by themselves
  rewritePath, // replaces the matched prefix: nothing before it may change the path
  rewriteHost, // last: nothing looks at the host any more
]);
