import { envoy } from './envoy.ts';
import { goProxy } from './go-proxy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Peer } from './peer.ts';
import { sallyport } from './sallyport.ts';

/** Every proxy that is measured, in the order of the tables. */
export const peers: readonly Peer[] = [sallyport, nginx, haproxy, envoy, goProxy];
