import { isIP } from 'node:net';

import type { Log } from '../telemetry/log.ts';
import type { KubeClock } from './kube-clock.ts';
import { ObjectWatch } from './object-watch.ts';
import { isRecord } from './project-object.ts';
import { resources } from './resources.ts';
import type { Transport } from './transport.ts';

/** One entry of `status.loadBalancer.ingress`: an address, or a name to resolve. */
export type PublishedAddress =
  { readonly ip: string; readonly hostname?: never } | { readonly hostname: string; readonly ip?: never };

/** Where clients reach this controller, for the status of its Ingresses. */
export interface PublishedAddresses {
  /** undefined: not known, so a status stays as it is. Empty: there is none. */
  current(): readonly PublishedAddress[] | undefined;
  subscribe(listener: () => void): void;
  start(): void;
  stop(): Promise<void>;
}

/** Addresses that somebody wrote down (`--publish-status-address`), separated by commas. */
export function fixedAddresses(text: string): PublishedAddresses {
  const addresses = inOrder(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );
  return {
    current: () => addresses,
    subscribe: () => undefined,
    start: () => undefined,
    stop: () => Promise.resolve(),
  };
}

/** Nobody wants addresses in a status. */
export const noAddresses: PublishedAddresses = {
  current: () => undefined,
  subscribe: () => undefined,
  start: () => undefined,
  stop: () => Promise.resolve(),
};

export interface ServiceAddressOptions {
  readonly transport: Transport;
  /** `namespace/name` (`--publish-service`). */
  readonly service: string;
  readonly log: Log;
  readonly clock?: KubeClock;
}

/**
 * The addresses of a Service, followed as they change. While the Service is absent nothing is known of them: one that is
 * replaced must not have its names taken out of DNS.
 *
 * ingress-nginx falls back to the addresses of the nodes that its pods run on. That takes the right to read pods and nodes
 * of the whole cluster, which nothing else here needs, for addresses that clients rarely reach: it is left out.
 */
export class ServiceAddresses implements PublishedAddresses {
  readonly #watch: ObjectWatch;
  readonly #listeners: (() => void)[] = [];
  #addresses: readonly PublishedAddress[] | undefined;

  constructor({ transport, service, log, clock }: ServiceAddressOptions) {
    const [namespace = '', name = ''] = service.split('/');
    this.#watch = new ObjectWatch({
      transport,
      scope: { resource: resources.Service, namespace, name },
      ...(clock === undefined ? {} : { clock }),
      seen: (object) => this.#seen(object),
      failing: ({ stall }) =>
        log.warn('--publish-service cannot be read, status keeps its addresses', {
          service,
          detail: stall.message,
        }),
      absent: () => log.warn('--publish-service does not exist, status keeps its addresses', { service }),
    });
  }

  current(): readonly PublishedAddress[] | undefined {
    return this.#addresses;
  }

  subscribe(listener: () => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  #seen(object: Readonly<Record<string, unknown>> | undefined): void {
    if (object === undefined) return;
    const before = JSON.stringify(this.#addresses);
    this.#addresses = serviceAddresses(object);
    if (JSON.stringify(this.#addresses) === before) return;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Addresses of a Service, by ingress-nginx's rules: what its load balancer has and its external addresses; without a load
 * balancer its external addresses, else its cluster address; of an ExternalName the name.
 */
export function serviceAddresses(service: Readonly<Record<string, unknown>>): readonly PublishedAddress[] {
  const spec = recordAt(service, 'spec');
  const external = textsOf(spec['externalIPs']);
  switch (spec['type']) {
    case 'ExternalName':
      return inOrder(textsOf([spec['externalName']]));
    case 'LoadBalancer': {
      const balancer = recordAt(recordAt(service, 'status'), 'loadBalancer')['ingress'];
      const given = (Array.isArray(balancer) ? balancer : [])
        .filter(isRecord)
        .flatMap(({ ip, hostname }) => textsOf([ip ?? hostname]));
      return inOrder([...given, ...external]);
    }
    default:
      return inOrder(external.length > 0 ? external : textsOf([spec['clusterIP']]));
  }
}

function inOrder(texts: readonly string[]): readonly PublishedAddress[] {
  return [...new Set(texts)].toSorted().map((text) => (isIP(text) === 0 ? { hostname: text } : { ip: text }));
}

function textsOf(values: unknown): readonly string[] {
  if (!Array.isArray(values)) return [];
  return values.filter((value) => typeof value === 'string' && value !== '' && value !== 'None') as string[];
}

function recordAt(
  object: Readonly<Record<string, unknown>>,
  field: string,
): Readonly<Record<string, unknown>> {
  const value = object[field];
  return isRecord(value) ? value : {};
}
