import { plainLoad } from './plain-load.ts';
import type { Scenario } from './scenario.ts';

export const tlsKeepAlive: Scenario = {
  id: 'tls-keep-alive',
  title: 'Small GET over TLS',
  run: (bench) =>
    plainLoad(bench, {
      how: 'GET with an answer of two bytes, 32 keep-alive connections of TLS 1.3 with HTTP/1.1',
      path: '/',
      tls: true,
      targets: [{ peer: 'nginx', atMost: 1.3 }],
    }),
};
