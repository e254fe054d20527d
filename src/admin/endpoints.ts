import { debugCertificates } from './debug-certificates.ts';
import { debugDiagnostics, debugExplain, debugTable } from './debug-endpoints.ts';
import { debugBackends, debugRoutes } from './debug-lists.ts';
import { debugWorkers } from './debug-workers.ts';
import type { Endpoint } from './endpoint.ts';
import { healthz, readyz } from './health-endpoints.ts';
import { metrics } from './metrics-endpoint.ts';

/** Everything that the admin server answers. */
export const endpoints: readonly Endpoint[] = [
  healthz,
  readyz,
  metrics,
  debugTable,
  debugDiagnostics,
  debugExplain,
  debugRoutes,
  debugBackends,
  debugCertificates,
  debugWorkers,
];
