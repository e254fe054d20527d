/** The sum over a metric's series in an exposition, or over those with this text among their labels. */
export function metricSum(exposition: string, name: string, label = ''): number {
  let sum = 0;
  for (const line of exposition.split('\n')) {
    if (/^[a-z0-9_]+/.exec(line)?.[0] !== name || !line.includes(label)) continue;
    sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
}
