import { createFilterRegistry } from './filter-registry.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { rewriteHost } from './rewrite-host.ts';

/** The chain. A request goes down this list, its response goes up: the last line sees the response first. */
export const filterRegistry = createFilterRegistry([
  responseHeaders, // first, so that its response half runs last: what the user sets is what the client gets
  requestHeaders, // after everything that may answer by itself
  rewriteHost, // last of the request: nothing after it looks at the host any more
]);
