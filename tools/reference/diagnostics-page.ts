import { catalogue } from '../../src/diagnostics/catalogue.ts';
import type { CatalogueEntry } from '../../src/diagnostics/catalogue-entry.ts';
import { leavesOut } from '../../src/diagnostics/object-conditions.ts';
import { code, pageHead, table } from './markdown.ts';

const GROUPS = [
  ['SP1', 'Reading'],
  ['SP2', 'Objects and references'],
  ['SP3', 'Conflicts'],
  ['SP4', 'Annotations and filters'],
] as const;

/** docs/reference/diagnostics.md */
export function diagnosticsPage(): string {
  const entries = Object.entries(catalogue).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const stray = entries.find(([name]) => !GROUPS.some(([prefix]) => name.startsWith(prefix)));
  if (stray !== undefined) throw new Error(`${stray[0]} is in no group of the page`);
  const sections = GROUPS.map(([prefix, title]) => {
    const rows = entries
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, entry]) => [
        code(name),
        entry.severity,
        conditionCell(entry),
        `${entry.title}.`,
        `${entry.hint}.`,
      ]);
    return rows.length === 0
      ? ''
      : `\n## ${title}\n\n${table(['Code', 'Severity', 'Condition', 'What it says', 'What to do'], rows)}`;
  });
  const intro =
    'A diagnostic is a fault in what was declared. Its code is stable: alerts and scripts may rely on it. ' +
    'It appears on the command line (`sallyport check`), in the log, on the admin address, as an Event of the object ' +
    '(errors and warnings), and in the conditions of a Route or BackendPolicy. The column Condition names the condition ' +
    'that it bears on and the reason that stands there and in the Event; a condition in brackets stays True.';
  return pageHead('Diagnostics', intro) + sections.join('');
}

function conditionCell(entry: CatalogueEntry): string {
  const condition = leavesOut(entry) ? entry.condition : `(${entry.condition})`;
  return `${condition} ${code(entry.reason)}`;
}
