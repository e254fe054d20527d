import { describeRef } from './diagnostic.ts';
import type { Diagnostic, Severity } from './diagnostic.ts';

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** `error SP1002 Ingress team-a/shop spec.rules[0].host  Got "A", want a host in lower case  (shop.yaml:12)` */
export function formatLine(diagnostic: Diagnostic): string {
  const { severity, code, object, path, message } = diagnostic;
  const subject = [severity, code, describeRef(object), path].filter((part) => part !== '').join(' ');
  const place = formatPlace(diagnostic);
  return oneLine(place === '' ? `${subject}  ${message}` : `${subject}  ${message}  (${place})`);
}

/** Columns by width, without lines, as kubectl prints them; '' when there is nothing. Ends without a line break. */
export function formatTable(diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0) return '';
  const rows = [
    ['SEVERITY', 'CODE', 'PLACE', 'OBJECT', 'FIELD', 'MESSAGE'],
    ...diagnostics.map((diagnostic) => [
      diagnostic.severity,
      diagnostic.code,
      formatPlace(diagnostic) || '-',
      describeRef(diagnostic.object),
      diagnostic.path || '-',
      diagnostic.message,
    ]),
  ].map((row) => row.map(oneLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** `2 errors, 1 warning, 0 infos` */
export function formatCounts(diagnostics: readonly Diagnostic[]): string {
  const severities: readonly Severity[] = ['error', 'warning', 'info'];
  return severities
    .map((severity) => {
      const count = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
      return `${count} ${severity}${count === 1 ? '' : 's'}`;
    })
    .join(', ');
}

/** `file:line`, or '' when the object came from no file. */
export function formatPlace({ location }: Diagnostic): string {
  return location === undefined ? '' : `${location.file}:${location.line}`;
}

/** Names of files and fields are the user's: control characters must not reach a terminal or begin a new line. */
function oneLine(text: string): string {
  return text.replace(controls, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
