import { plainLoad } from './plain-load.ts';
import type { Scenario } from './scenario.ts';

export const largeResponse: Scenario = {
  id: 'large-response',
  title: '64 KiB response',
  run: (bench) =>
    plainLoad(bench, {
      how: 'GET with an answer of 64 KiB from a file of the backend, 32 keep-alive connections',
      path: '/64k',
      targets: [{ peer: 'nginx', atMost: 1 }],
    }),
};
