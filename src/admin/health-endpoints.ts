import { textAnswer } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

export const healthz: Endpoint = {
  path: '/healthz',
  doc: 'Alive: 200 as long as the main thread answers.',
  loopbackOnly: false,
  answer: () => textAnswer(200, 'ok'),
};

export const readyz: Endpoint = {
  path: '/readyz',
  doc: 'Ready: 503 until the first complete table is live in every worker, and while draining.',
  loopbackOnly: false,
  answer: (_, state) => {
    const { ready, reason } = state.ready();
    return ready ? textAnswer(200, 'ok') : textAnswer(503, reason);
  },
};
