/** First lines of a generated page. */
export function pageHead(title: string, intro: string): string {
  return `<!-- Written by tools/generate.ts: do not edit. -->\n\n# ${title}\n\n${intro}\n`;
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`).join('');
}

/** Text as code; '' stays empty. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}
