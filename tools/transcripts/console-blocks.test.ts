import { expect, test } from '@jest/globals';

import { normalise, readSteps, writeOutputs } from './console-blocks.ts';

const page = [
  '# Page',
  '```console',
  '$ one \\',
  '    --more',
  'was',
  '$ two',
  '```',
  'Text with `$ nothing`.',
  '```sh',
  '$ not a transcript',
  '```',
  '```console',
  '$ three',
  'old',
  'lines',
  '```',
  '',
].join('\n');

test('commands and what they printed', () => {
  expect(readSteps(page)).toEqual([
    { command: 'one \\\n    --more', output: 'was\n' },
    { command: 'two', output: '' },
    { command: 'three', output: 'old\nlines\n' },
  ]);
});

test('outputs take the place of those that were there; nothing else changes', () => {
  const steps = readSteps(page);
  expect(
    writeOutputs(
      page,
      steps.map(({ output }) => output),
    ),
  ).toBe(page);
  const written = writeOutputs(page, ['1\n', '', '3 $& $1\n']);
  expect(readSteps(written).map(({ output }) => output)).toEqual(['1\n', '', '3 $& $1\n']);
  expect(written).toContain('$ not a transcript');
});

test('a block that does not begin with a command is a mistake', () => {
  expect(() => readSteps('```console\nlost\n```\n')).toThrow("'lost' stands before a command");
});

test('what differs from run to run is taken out', () => {
  expect(
    normalise('HTTP/2 200 \r\ndate: Mon, 02 Jan 2006 15:04:05 GMT\r\nx-request-id: 0af3\r\n\r\nbody'),
  ).toBe('HTTP/2 200\ndate: …\nx-request-id: …\n\nbody\n');
});
