import { jsonAnswer } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

export const debugWorkers: Endpoint = {
  path: '/debug/workers',
  doc: 'The published generation, and per worker thread the one that it serves, its connections and restarts.',
  loopbackOnly: true,
  answer: (_, state) => {
    const { generation, digest } = state.table();
    return jsonAnswer(200, { generation, digest, workers: state.workers() });
  },
};
