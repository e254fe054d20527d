/**
 * How long the other side keeps an idle connection by its Keep-Alive field (`timeout=N`, seconds), less a margin, so that
 * it never closes under a request; Infinity when it says nothing.
 */
export function peerIdleTimeoutMs(keepAlive: string | undefined): number {
  if (keepAlive === undefined) return Infinity;
  const at = keepAlive.indexOf('timeout=');
  if (at < 0) return Infinity;
  const seconds = Number.parseInt(keepAlive.slice(at + 'timeout='.length), 10);
  return seconds > 0 ? Math.max(seconds * 1000 - 1000, seconds * 500) : Infinity;
}
