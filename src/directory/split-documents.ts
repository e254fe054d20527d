/** One document of a manifest file, still as text. */
export interface DocumentText {
  readonly text: string;
  /** Position in the file, from 1, empty documents not counted. */
  readonly index: number;
  /** Line of the file on which `text` begins, from 1. */
  readonly firstLine: number;
  /** Line of the file that holds the document's first content, from 1. */
  readonly line: number;
}

/** A document marker stands at the start of a line, even inside a block scalar (YAML 1.2.2 §9.1.2). */
const markerPattern = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;
const idlePattern = /^(?:---|\.\.\.)?[ \t]*(?:#.*)?\r?$/;

/**
 * Splits a YAML file at its document markers, so that a document that cannot be parsed costs none of the others.
 * Documents without content (comments, directives, blank lines) are left out.
 */
export function splitDocuments(source: string): readonly DocumentText[] {
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source;
  const documents: DocumentText[] = [];
  let firstLine = 1;
  for (const chunk of chunksOf(text)) {
    const content = contentLine(chunk);
    if (content !== undefined) {
      documents.push({ text: chunk, index: documents.length + 1, firstLine, line: firstLine + content });
    }
    firstLine += countLines(chunk);
  }
  return documents;
}

function chunksOf(text: string): readonly string[] {
  const starts = [0, ...[...text.matchAll(markerPattern)].map((match) => match.index)];
  return starts.map((start, index) => text.slice(start, starts[index + 1])).filter((chunk) => chunk !== '');
}

/** Lines before the first one that is neither blank, a comment, a directive nor a bare marker. */
function contentLine(chunk: string): number | undefined {
  let line = 0;
  let start = 0;
  while (start < chunk.length) {
    const end = chunk.indexOf('\n', start);
    const stop = end < 0 ? chunk.length : end;
    const content = chunk.slice(start, stop);
    if (!idlePattern.test(content) && !content.startsWith('%')) return line;
    line += 1;
    start = stop + 1;
  }
  return undefined;
}

function countLines(chunk: string): number {
  let count = 0;
  for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) count += 1;
  return count;
}
