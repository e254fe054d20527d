import { readFileSync } from 'node:fs';

import type { Command } from 'commander';
import { Help, Option } from 'commander';
import { load } from 'js-yaml';

import { settingList } from '../app/setting-list.ts';
import type { Setting } from '../app/setting.ts';
import { environmentName, resolveSettings } from '../app/settings.ts';
import type { Settings } from '../app/settings.ts';
import { UsageError } from './command-context.ts';
import type { CommandContext } from './command-context.ts';

type SettingName = keyof typeof settingList;

/** What commander found: flag → text. Filled while arguments are parsed. */
export type GivenFlags = Map<string, string>;

/**
 * Adds settings as options, with default and environment name in the help, under their groups or the heading that is given
 * for them. Aliases work but are not shown apart.
 */
export function addSettingOptions(
  command: Command,
  names: readonly SettingName[],
  headingOf?: (name: SettingName) => string,
): GivenFlags {
  const given: GivenFlags = new Map();
  const help = new Help();
  command.configureHelp({
    // That a bare switch means true goes without saying.
    optionDescription: (option) =>
      option.presetArg === undefined ? help.optionDescription(option) : option.description,
  });
  for (const name of names) {
    const setting: Setting<unknown> = settingList[name];
    const heading = headingOf?.(name) ?? `${setting.group}:`;
    for (const flag of [setting.flag, ...setting.aliases]) {
      command.addOption(settingOption(setting, flag, given).helpGroup(heading));
    }
  }
  return given;
}

function settingOption(setting: Setting<unknown>, flag: string, given: GivenFlags): Option {
  const { placeholder } = setting.type;
  // Switches take an optional value, as Go's: --flag, --flag=false.
  const option = new Option(`--${flag} ${placeholder ?? '[true|false]'}`, describe(setting));
  option.argParser((text: string) => {
    given.set(flag, text);
    return text;
  });
  if (placeholder === undefined) option.preset('true');
  if (flag !== setting.flag) option.hideHelp();
  return option;
}

function describe(setting: Setting<unknown>): string {
  const aliases = setting.aliases.map((alias) => `also --${alias}; `).join('');
  const value = setting.default === '' ? 'unset' : setting.default;
  return `${setting.doc} (${aliases}default ${value}; ${environmentName(setting.flag)})`;
}

/** The settings from flags, environment and config file. Throws UsageError with every problem. */
export function readSettings(given: GivenFlags, context: CommandContext): Settings {
  const { environment } = context;
  const configFile = given.get('config') ?? environment[environmentName('config')] ?? '';
  const result = resolveSettings({
    flags: given,
    environment,
    ...(configFile === '' ? {} : { file: readConfigFile(configFile) }),
  });
  if (result.kind === 'problems') throw new UsageError(result.problems.join('\nsallyport: '));
  return result.settings;
}

/** A YAML mapping of flag names to plain values; a list is joined with commas. Throws UsageError. */
export function readConfigFile(path: string): ReadonlyMap<string, string> {
  let data: unknown;
  try {
    data = load(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`Read the config file ${JSON.stringify(path)}: ${(error as Error).message}`);
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new UsageError(`Read the config file ${JSON.stringify(path)}: want a mapping of settings`);
  }
  return new Map(Object.entries(data).map(([key, value]) => [key, settingText(path, key, value)]));
}

function settingText(path: string, key: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => settingText(path, key, item)).join(',');
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new UsageError(
    `Read the config file ${JSON.stringify(path)}: ${key} has no plain value, want a text, a number or true or false`,
  );
}
