// Transcripts in a page: fenced blocks of the kind `console`, in which lines that begin with `$ ` are commands and the
// others are what came of them. Text in, text out.

/** A command and the lines that it printed. */
export interface Step {
  /** Without the `$ `; lines that end in a backslash are one command with those behind them. */
  readonly command: string;
  readonly output: string;
}

const block = /^```console\n([^]*?)^```$/gm;

/** The steps of every block, in order. */
export function readSteps(page: string): readonly Step[] {
  return [...page.matchAll(block)].flatMap(([, body = '']) => stepsOf(body));
}

function stepsOf(body: string): Step[] {
  const steps: { command: string; output: string }[] = [];
  let isContinued = false;
  for (const line of body.split('\n').slice(0, -1)) {
    const last = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' });
    else if (last === undefined) throw new Error(`read a transcript: '${line}' stands before a command`);
    else if (isContinued) last.command += `\n${line}`;
    else last.output += `${line}\n`;
    isContinued = (steps.at(-1)?.command.endsWith('\\') ?? false) && steps.at(-1)?.output === '';
  }
  return steps;
}

/** The page with these outputs, one for each step. */
export function writeOutputs(page: string, outputs: readonly string[]): string {
  let next = 0;
  return page.replaceAll(block, (_, body: string) => {
    const texts = stepsOf(body).map(({ command }) => `$ ${command}\n${outputs[next++] ?? ''}`);
    return `\`\`\`console\n${texts.join('')}\`\`\``;
  });
}

/** What is another one each time: dates, ids, ports, sizes of random things. */
const volatile: readonly (readonly [RegExp, string])[] = [
  [/^(\s*date: ).*$/gim, '$1…'],
  [/^(\s*x-request-id: ).*$/gim, '$1…'],
  [/^(\s*(?:NotBefore|NotAfter|notBefore|notAfter)[:=] ?).*$/gm, '$1…'],
  [/^(\s*serial(?: number)?[:=] ?).*$/gim, '$1…'],
  [/\r/g, ''],
  [/[ \t]+$/gm, ''],
];

export function normalise(output: string): string {
  let text = output;
  for (const [pattern, replacement] of volatile) text = text.replaceAll(pattern, replacement);
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
