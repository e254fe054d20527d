import { plainLoad } from './plain-load.ts';
import type { Scenario } from './scenario.ts';

export const smallGet: Scenario = {
  id: 'small-get',
  title: 'Small GET',
  run: (bench) =>
    plainLoad(bench, {
      how: 'GET with an answer of two bytes, 32 keep-alive connections, routing and metrics on, access logs off',
      path: '/',
      targets: [
        { peer: 'nginx', atMost: 1.25 },
        { peer: 'envoy', atMost: 0.65 },
        { peer: 'go', atMost: 0.45 },
      ],
    }),
};
