import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const dockerfile = read('Dockerfile');

describe('the Dockerfile', () => {
  test('starts Node with the flags of bin/sallyport', () => {
    const [, flags = ''] =
      /exec "\$node" (.*) "\$root\/src\/main\.ts" "\$@"/.exec(read('bin/sallyport')) ?? [];
    const entry = ['node', ...flags.split(' '), '/app/src/main.ts'];
    expect(dockerfile).toContain(`\nENTRYPOINT ${JSON.stringify(entry).replaceAll(',', ', ')}\n`);
  });

  test('runs as a user without rights, whom the chart names too', () => {
    const [user] = dockerfile.match(/^USER .*$/gm)?.slice(-1) ?? [];
    expect(user).toBe('USER 65532:65532');
    expect(read('charts/sallyport/values.yaml').match(/runAsUser: .*/g)).toEqual([
      'runAsUser: 65532',
      'runAsUser: 65532',
    ]);
  });

  test('and the chart say the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { readonly version: string };
    expect(dockerfile).toContain(`\nARG VERSION=${version}\n`);
    expect(read('charts/sallyport/Chart.yaml')).toContain(`\nversion: ${version}\nappVersion: ${version}\n`);
  });

  test('is given nothing but what the image is made of', () => {
    const [everything, ...kept] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).toBe('*');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    expect(
      kept
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1))
        .sort(),
    ).toEqual([...new Set(copied)].sort());
  });
});
