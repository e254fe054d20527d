import type { Diagnostic } from './diagnostic.ts';

type Finding = Pick<Diagnostic, 'message'> & Partial<Pick<Diagnostic, 'code' | 'path'>>;

const maxFindings = 8;
const maxFindingLength = 1024;

/** `message (SP2101 at spec.rules[0])` */
export function findingText({ message, code, path }: Finding): string {
  if (code === undefined) return message;
  return `${message} (${code}${path === undefined || path === '' ? '' : ` at ${path}`})`;
}

/** Findings as one text of at most 9 kB: the first few in full, the rest by number. */
export function listFindings(findings: readonly Finding[]): string {
  const shown = findings
    .slice(0, maxFindings)
    .map((finding) => cutText(findingText(finding), maxFindingLength));
  const more = findings.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const encoder = new TextEncoder();

/** The text if its UTF-8 form has at most `maxBytes`, else as much of its beginning as fits with `…`. Never half a character. */
export function cutText(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const whole = new Uint8Array(maxBytes);
  if (encoder.encodeInto(text, whole).read === text.length) return text;
  const { read } = encoder.encodeInto(text, whole.subarray(0, maxBytes - 3));
  return `${text.slice(0, read)}…`;
}
