import type { AdminState } from './admin-state.ts';

/** One path of the admin server. A new one is a file and a line in endpoints.ts. */
export interface Endpoint {
  readonly path: string;
  /** One sentence for the list of paths and the reference page. */
  readonly doc: string;
  /** Answers peers on this machine only, and only under a name of this machine. */
  readonly loopbackOnly: boolean;
  answer(query: URLSearchParams, state: AdminState): Answer;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | AsyncIterable<string>;
}

export function textAnswer(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

/** Maps become objects; keys keep their order. */
export function jsonAnswer(status: number, value: unknown): Answer {
  const plain = (_: string, inner: unknown): unknown =>
    inner instanceof Map ? Object.fromEntries(inner) : inner;
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value, plain, 2)}\n`,
  };
}
