import { settingList } from './setting-list.ts';
import type { Setting } from './setting.ts';

// Settings of the process. In: flags, environment and config file as texts. Out: one typed object, or every problem
// at once. Which settings there are is declared in setting-list.ts. This folder wires the parts together and holds
// no behaviour of its own; it must not be imported by anything but the command line.

/** Every setting's value. */
export type Settings = {
  readonly [K in keyof typeof settingList]: (typeof settingList)[K] extends Setting<infer T> ? T : never;
};

/** Texts by flag, and by key for the file. The nearest to the user wins: flag, environment, file, default. */
export interface SettingSources {
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file?: ReadonlyMap<string, string>;
}

export type ResolvedSettings =
  | { readonly kind: 'settings'; readonly settings: Settings }
  | { readonly kind: 'problems'; readonly problems: readonly string[] };

/** `--http-port` → `SALLYPORT_HTTP_PORT`. */
export function environmentName(flag: string): string {
  return `SALLYPORT_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Each problem names where the value stands, the value and what is wanted. */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const problems: string[] = unknownKeys(sources.file ?? new Map());
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settingList) as [string, Setting<unknown>][]) {
    const found = findText(setting, sources);
    // An empty environment variable is how a chart leaves a setting out.
    const value = setting.type.parse(found.text);
    if (value === undefined) {
      problems.push(`Read ${found.where}: ${JSON.stringify(found.text)} is not ${setting.type.wanted}`);
    }
    values[name] = value;
  }
  if (problems.length > 0) return { kind: 'problems', problems };
  // Every key of settingList was set by its own type's parse.
  const settings = values as unknown as Settings;
  const contradictions = findContradictions(settings);
  return contradictions.length > 0
    ? { kind: 'problems', problems: contradictions }
    : { kind: 'settings', settings };
}

/** Values that are good by themselves and not together. */
function findContradictions({ proxyProtocol, trustedProxies }: Settings): readonly string[] {
  if (!proxyProtocol || trustedProxies.length > 0) return [];
  return [
    'Switch on --use-proxy-protocol: --trusted-proxies is empty, so nobody could connect; give the networks of the load balancers that send PROXY headers',
  ];
}

interface Found {
  readonly text: string;
  readonly where: string;
}

function findText(setting: Setting<unknown>, sources: SettingSources): Found {
  const spellings = [setting.flag, ...setting.aliases];
  for (const flag of spellings) {
    const text = sources.flags.get(flag);
    if (text !== undefined) return { text, where: `--${flag}` };
  }
  for (const flag of spellings) {
    const where = environmentName(flag);
    const text = sources.environment[where];
    if (text !== undefined && text !== '') return { text, where };
  }
  for (const flag of spellings) {
    const text = sources.file?.get(flag);
    if (text !== undefined) return { text, where: `${flag} in the config file` };
  }
  return { text: setting.default, where: `the default of --${setting.flag}` };
}

function unknownKeys(file: ReadonlyMap<string, string>): string[] {
  const known = new Set(Object.values(settingList).flatMap(({ flag, aliases }) => [flag, ...aliases]));
  return [...file.keys()]
    .filter((key) => !known.has(key))
    .map((key) => `Read the config file: ${JSON.stringify(key)} is not the name of a setting`);
}
