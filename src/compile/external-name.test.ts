import { describe, expect, test } from '@jest/globals';

import { canonicalExternalName, externalNameFault } from './external-name.ts';

describe('externalNameFault', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'localhost.',
    'db.localhost',
    'localhost.localdomain',
    'ip6-loopback',
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    'fe80::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '127.1',
    '2130706433',
    '0x7f000001',
    'a.0x7f',
    '0177.0.0.1',
    '',
    '.',
    'a..b',
    'under_score.example',
    'user@host.example',
    'host.example:80',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}example`,
  ])('refuses %j', (name) => {
    expect(externalNameFault(name)).toBeDefined();
  });

  test.each([
    'example.com',
    'Example.COM.',
    'db.team-a.svc.cluster.local',
    '192.0.2.1',
    '2001:db8::1',
    'x1',
    '1x.example',
  ])('takes %j', (name) => {
    expect(externalNameFault(name)).toBeUndefined();
  });

  test('is canonical in lower case and without the last dot', () => {
    expect(canonicalExternalName('Example.COM.')).toBe('example.com');
  });
});
