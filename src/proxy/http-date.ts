let second = 0;
let text = '';

/** The current time as an IMF-fixdate (RFC 9110 §5.6.7), formatted once a second. */
export function httpDate(nowMs: number = Date.now()): string {
  const current = Math.floor(nowMs / 1000);
  if (current !== second) {
    second = current;
    text = new Date(nowMs).toUTCString();
  }
  return text;
}
