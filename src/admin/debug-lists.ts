import { listBackends } from './backend-list.ts';
import { jsonAnswer } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { listRoutes } from './route-list.ts';

export const debugRoutes: Endpoint = {
  path: '/debug/routes',
  doc: 'Every route as JSON: host, path, backends, and whether it is served; those that lost a conflict too.',
  loopbackOnly: true,
  answer: (_, state) => jsonAnswer(200, listRoutes(state.table(), state.diagnostics())),
};

export const debugBackends: Endpoint = {
  path: '/debug/backends',
  doc: 'Every upstream as JSON: protocol, balancing, its endpoints and the requests in flight to each.',
  loopbackOnly: true,
  answer: (_, state) =>
    jsonAnswer(
      200,
      listBackends(state.table(), (endpoint) => state.inFlight?.(endpoint)),
    ),
};
