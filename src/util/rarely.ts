type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const EVERY_MS = 10_000;

/**
 * Lets each message pass once in ten seconds, with how many of it were `untold` since: for what anybody can cause who
 * connects. Messages are static texts. `now`: monotonic milliseconds.
 */
export function rarely(warn: Warn, now: () => number): Warn {
  const told = new Map<string, { silentUntilMs: number; untold: number }>();
  return (message, fields) => {
    const at = now();
    const last = told.get(message);
    if (last !== undefined && at < last.silentUntilMs) {
      last.untold++;
      return;
    }
    const untold = last?.untold ?? 0;
    told.set(message, { silentUntilMs: at + EVERY_MS, untold: 0 });
    warn(message, untold === 0 ? fields : { ...fields, untold });
  };
}
