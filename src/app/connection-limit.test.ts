import { describe, expect, test } from '@jest/globals';
import { defaultMaxConnections, maxConnections, openFileLimit, perWorker } from './connection-limit.ts';

function limits(soft: string, hard: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max processes             63432                63432                processes
Max open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files
Max locked memory         8388608              8388608              bytes
`;
}

describe('the limit on client connections', () => {
  test('is read from the soft limit on open files', () => {
    expect(openFileLimit(limits('1024', '524288'))).toBe(1024);
  });

  test.each([
    ['no limit', limits('unlimited', 'unlimited')],
    ['a text without it', 'Max cpu time unlimited unlimited seconds\n'],
    ['a system without the file', undefined],
  ])('is none for %s', (_, text) => {
    expect(openFileLimit(text)).toBeUndefined();
  });

  test('leaves room for upstream connections and files', () => {
    expect(defaultMaxConnections(2, 256)).toBe(80);
    expect(defaultMaxConnections(4, 1_048_576)).toBe(524_224);
  });

  test('leaves every worker a connection, however low the limit on files', () => {
    expect(defaultMaxConnections(4, 64)).toBe(4);
  });

  test.each([
    ['no wish', 0, 80, 80],
    ['a wish below what files allow', 50, 80, 50],
    ['a wish beyond what files allow', 1000, 80, 80],
    ['a wish where files have no limit', 1000, 0, 1000],
    ['no limit of any kind', 0, 0, 0],
  ])('follows %s', (_, wanted, allowed, expected) => {
    expect(maxConnections(wanted, allowed)).toBe(expected);
  });

  test('is shared out among the workers', () => {
    expect(perWorker(80, 2)).toBe(40);
    expect(perWorker(3, 4)).toBe(1);
    expect(perWorker(0, 4)).toBe(0);
  });
});
