import { describe, expect, test } from '@jest/globals';
import { proxySettings } from './proxy-settings.ts';
import { settingList } from './setting-list.ts';
import { duration, networks, size, toggle } from './setting-types.ts';
import { environmentName, resolveSettings } from './settings.ts';
import type { Settings } from './settings.ts';

function resolve(
  flags: Record<string, string> = {},
  environment: Record<string, string> = {},
  file: Record<string, string> = {},
): Settings {
  const result = resolveSettings({
    flags: new Map(Object.entries(flags)),
    environment,
    file: new Map(Object.entries(file)),
  });
  if (result.kind === 'problems') throw new Error(result.problems.join('\n'));
  return result.settings;
}

describe('settings', () => {
  test('every default is one that its type takes, but for paths that are unset', () => {
    expect(resolve()).toMatchObject({
      httpPort: 8080,
      adminPort: 10_254,
      keepAliveMs: 75_000,
      manifests: '',
    });
  });

  test('the proxy gets the defaults of the reference', () => {
    expect(proxySettings(resolve())).toMatchObject({
      requestLimits: { maxRequestLineBytes: 8192, maxHeadBytes: 32_768, maxFields: 100 },
      maxRequestBodyBytes: 1_048_576,
      clientKeepAliveMs: 75_000,
      clientKeepAliveRequests: 1000,
      upstream: {
        maxIdle: 320,
        idleTimeoutMs: 60_000,
        maxLifetimeMs: 3_600_000,
        maxRequestsPerConnection: 10_000,
      },
      accessLog: true,
    });
  });

  test('a flag beats the environment, which beats the file, which beats the default', () => {
    const all = { flag: { 'http-port': '1' }, env: { SALLYPORT_HTTP_PORT: '2' }, file: { 'http-port': '3' } };
    expect(resolve(all.flag, all.env, all.file).httpPort).toBe(1);
    expect(resolve({}, all.env, all.file).httpPort).toBe(2);
    expect(resolve({}, {}, all.file).httpPort).toBe(3);
    expect(resolve({}, { SALLYPORT_HTTP_PORT: '' }, {}).httpPort).toBe(8080);
  });

  test('PROXY headers that nobody may send are refused, in the words of both flags', () => {
    expect(() => resolve({ 'use-proxy-protocol': 'true' })).toThrow(
      /--use-proxy-protocol: --trusted-proxies is empty/,
    );
    const settings = resolve({ 'use-proxy-protocol': 'true' }, {}, { 'proxy-real-ip-cidr': '10.0.0.0/8' });
    expect(proxySettings(settings)).toMatchObject({ proxyProtocol: true, trustedProxies: ['10.0.0.0/8'] });
  });

  test('aliases of ingress-nginx are understood everywhere', () => {
    expect(resolve({ 'healthz-port': '1' }).adminPort).toBe(1);
    expect(resolve({}, { SALLYPORT_HEALTHZ_PORT: '2' }).adminPort).toBe(2);
    expect(resolve({}, {}, { 'proxy-real-ip-cidr': '10.0.0.0/8' }).trustedProxies).toEqual(['10.0.0.0/8']);
  });

  test('every problem is reported, with place, value and what is wanted', () => {
    const result = resolveSettings({
      flags: new Map([['http-port', '70000']]),
      environment: { SALLYPORT_KEEP_ALIVE: 'soon' },
      file: new Map([
        ['acess-log', 'true'],
        ['access-log', 'yes'],
      ]),
    });
    expect(result).toEqual({
      kind: 'problems',
      problems: [
        'Read the config file: "acess-log" is not the name of a setting',
        'Read --http-port: "70000" is not a whole number from 0 to 65535',
        'Read access-log in the config file: "yes" is not true or false',
        'Read SALLYPORT_KEEP_ALIVE: "soon" is not a duration such as 75s, 1m30s or 500ms',
      ],
    });
  });

  test('no two settings share a spelling', () => {
    const spellings = Object.values(settingList).flatMap(({ flag, aliases }) => [flag, ...aliases]);
    expect(new Set(spellings.map(environmentName)).size).toBe(spellings.length);
  });
});

describe('notations', () => {
  test.each([
    ['75s', 75_000],
    ['75', 75_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['300ms', 300],
    ['0', 0],
    ['', undefined],
    ['5 s', undefined],
    ['-1s', undefined],
    ['s', undefined],
  ])('duration %j is %p', (text, ms) => expect(duration.parse(text)).toBe(ms));

  test.each([
    ['500', 500],
    ['8k', 8192],
    ['1m', 1_048_576],
    ['1Mi', 1_048_576],
    ['2G', 2_147_483_648],
    ['1mb', undefined],
    ['', undefined],
  ])('size %j is %p', (text, bytes) => expect(size.parse(text)).toBe(bytes));

  test.each([
    ['t', true],
    ['0', false],
    ['True', true],
    ['yes', undefined],
    ['', undefined],
  ])('toggle %j is %p', (text, value) => expect(toggle.parse(text)).toBe(value));

  test.each([
    ['10.0.0.0/8, fd00::/8,1.2.3.4', ['10.0.0.0/8', 'fd00::/8', '1.2.3.4']],
    ['', []],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/8/9', undefined],
    ['ten/8', undefined],
  ])('networks %j are %p', (text, value) => expect(networks.parse(text)).toEqual(value));
});
