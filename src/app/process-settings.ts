import { setting } from './setting.ts';
import { address, duration, oneOf, optionalPort, port, size, toggle, wholeNumber } from './setting-types.ts';

/** The process itself and where it listens. */
export const processSettings = {
  address: setting('Listening', 'address', address, { default: '' }, 'address for traffic; empty means all'),
  httpPort: setting('Listening', 'http-port', port, { default: '8080' }, 'port for HTTP; 0 picks a free one'),
  httpsPort: setting(
    'Listening',
    'https-port',
    optionalPort,
    { default: '' },
    'port for HTTPS; 0 picks a free one; left out it is 8443, or none when another process has that',
  ),
  adminAddress: setting(
    'Listening',
    'admin-address',
    address,
    { default: '' },
    'address for health and metrics; empty means all; debug pages answer loopback clients only',
  ),
  adminPort: setting(
    'Listening',
    'admin-port',
    port,
    { default: '10254', aliases: ['healthz-port'] },
    'port for /healthz, /readyz and /metrics; 0 picks a free one',
  ),

  workers: setting(
    'Process',
    'workers',
    wholeNumber(0, 256),
    { default: '0' },
    'worker threads; 0 means one per core, within the CPU limit of the container',
  ),
  workerHeap: setting('Process', 'worker-heap', size, { default: '512m' }, 'heap limit of a worker thread'),
  drainDelay: setting(
    'Process',
    'drain-delay',
    duration,
    { default: '5s', aliases: ['shutdown-grace-period'] },
    'how long traffic is still accepted after SIGTERM, while load balancers take notice',
  ),
  gracePeriod: setting(
    'Process',
    'grace-period',
    duration,
    { default: '25s' },
    'time from SIGTERM to the hard stop, the drain delay included',
  ),
  logLevel: setting(
    'Process',
    'log-level',
    oneOf('debug', 'info', 'warn', 'error'),
    { default: 'info' },
    'least severity that is logged',
  ),
  metricsMaxRoutes: setting(
    'Process',
    'metrics-max-routes',
    wholeNumber(0, 1_000_000),
    { default: '10000' },
    'backends of routes that have metrics of their own; the rest share one series',
  ),
  accessLog: setting('Process', 'access-log', toggle, { default: 'true' }, 'log a line per request'),
} as const;
