import { ApiError } from './api-error.ts';
import type { KubeObject } from './manifest.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

/** The events of a watch's body, a line each. Throws at an `ERROR` event. */
export async function* readWatch(body: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as {
        readonly type: string;
        readonly object: { readonly code?: number };
      };
      if (event.type === 'ERROR') throw new ApiError('watch', event.object.code ?? 500, event.object);
      yield event as unknown as WatchEvent;
    }
  }
}
