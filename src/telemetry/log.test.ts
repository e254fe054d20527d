import { expect, test } from '@jest/globals';
import { createLog } from './log.ts';

test('a log line is one JSON object with level, ISO time, fields and a static message', () => {
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) }, 'info');
  log.debug('Not written');
  log.info('Listen for traffic', { port: 8080 });
  log.error('Publish the table', { err: new Error('no\nroom') });
  log.write('warn', 'Replace a worker', { worker: 1 });
  expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed).toHaveLength(3);
  const { time, ...rest } = parsed[0] as Record<string, unknown>;
  expect(rest).toEqual({ level: 'info', port: 8080, msg: 'Listen for traffic' });
  expect(new Date(String(time)).toISOString()).toBe(time);
  expect(parsed[1]).toMatchObject({ level: 'error', err: { type: 'Error', message: 'no\nroom' } });
  expect(parsed[2]).toMatchObject({ level: 'warn', worker: 1 });
});
