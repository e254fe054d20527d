// The ids of upstreams: `namespace/service:port`, with `+variant` where some object speaks to the Service in another way than
// its policy says.

const SEPARATOR = '+';

/** The id of another way to speak to an upstream. */
export function variantId(upstream: string, variant: string): string {
  return `${upstream}${SEPARATOR}${variant}`;
}

/**
 * The parts of an upstream's id: the Service's key; the port as the Service numbers it, or as it was written when the Service
 * has no such port; '' for the variant that its policy describes.
 */
export function splitUpstreamId(id: string): {
  readonly service: string;
  readonly port: string;
  readonly variant: string;
} {
  const colon = id.lastIndexOf(':');
  const plus = id.indexOf(SEPARATOR, colon);
  const end = plus < 0 ? id.length : plus;
  return { service: id.slice(0, colon), port: id.slice(colon + 1, end), variant: id.slice(end + 1) };
}
