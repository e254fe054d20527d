import { describe, expect, test } from '@jest/globals';
import { cpuLimit, defaultWorkers } from './cpu-limit.ts';

const v2 = (text: string) => new Map([['/sys/fs/cgroup/cpu.max', text]]);
const v1 = (quota: string, period: string) =>
  new Map([
    ['/sys/fs/cgroup/cpu/cpu.cfs_quota_us', quota],
    ['/sys/fs/cgroup/cpu/cpu.cfs_period_us', period],
  ]);

describe('CPU limit of a container', () => {
  test.each([
    ['v2, two cores', v2('200000 100000\n'), 2],
    ['v2, half a core', v2('50000 100000\n'), 0.5],
    ['v2, no limit', v2('max 100000\n'), undefined],
    ['v1, one and a half', v1('150000\n', '100000\n'), 1.5],
    ['v1, no limit', v1('-1\n', '100000\n'), undefined],
    ['no control groups', new Map<string, string>(), undefined],
    ['nonsense', v2('\n'), undefined],
  ])('%s', (_, files, cores) => expect(cpuLimit((path) => files.get(path))).toBe(cores));

  test.each([
    ['50000 100000', 8, 1],
    ['250000 100000', 8, 3],
    ['1600000 100000', 4, 4],
    ['max 100000', 4, 4],
  ])('limit %j on %i cores gives %i workers', (text, cores, workers) => {
    expect(defaultWorkers((path) => v2(text).get(path), cores)).toBe(workers);
  });
});
