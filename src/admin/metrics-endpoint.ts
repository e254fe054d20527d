import type { Endpoint } from './endpoint.ts';

export const metrics: Endpoint = {
  path: '/metrics',
  doc: 'Metrics in Prometheus’ text format.',
  loopbackOnly: false,
  answer: (_, state) => {
    const { contentType, text } = state.metrics();
    return { status: 200, contentType, body: text };
  },
};
