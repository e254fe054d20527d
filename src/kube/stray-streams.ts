import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientHttp2Stream } from 'node:http2';

// Node makes a stream of its own of an answer to a request that was given up a moment ago. Nobody holds that stream, so an
// error of its connection, which every stream is told, would be an error that nobody handles, and end the process.

const channel = 'http2.client.stream.created';

/** From now on, HTTP/2 streams of this thread that no request was sent on are ended as they come. Undone once for each call. */
export function endStrayStreams(): void {
  subscribe(channel, end);
}

export function stopEndingStrayStreams(): void {
  unsubscribe(channel, end);
}

function end(message: unknown): void {
  const { stream } = message as { readonly stream: ClientHttp2Stream };
  if (stream.sentHeaders !== undefined) return;
  stream.on('error', () => undefined);
  // Node is still at work on it.
  queueMicrotask(() => stream.destroy());
}
