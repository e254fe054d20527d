// What a scenario hands back, and what bench/results/*.json holds.

export interface Result {
  /** One sentence: what was done to whom. */
  readonly how: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly digits: number;
}

/** `null` where the figure does not exist for this row. */
export interface Row {
  readonly name: string;
  readonly values: Readonly<Record<string, number | null>>;
}

/** A target and how it came out. `value` is null when it could not be measured. */
export interface Verdict {
  readonly text: string;
  readonly value: number | null;
  readonly limit: number;
  readonly sense: 'at most' | 'at least';
}

export function isMet({ value, limit, sense }: Verdict): boolean {
  if (value === null) return false;
  return sense === 'at most' ? value <= limit : value >= limit;
}

/** The middle value; of an even number the lower of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** A row's figure divided by another row's; null when either is missing. */
export function ratio(rows: readonly Row[], key: string, name: string, to: string): number | null {
  const value = rows.find((row) => row.name === name)?.values[key];
  const base = rows.find((row) => row.name === to)?.values[key];
  return value === undefined || value === null || !base ? null : value / base;
}
