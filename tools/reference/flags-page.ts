import { settingList } from '../../src/app/setting-list.ts';
import type { Setting, SettingGroup } from '../../src/app/setting.ts';
import { environmentName } from '../../src/app/settings.ts';
import { code, pageHead, table } from './markdown.ts';

const INTRO = `Every setting of \`sallyport run\` has three spellings: a flag, an environment variable, and a key in the file that
\`--config\` names (the flag without its dashes). A flag wins over the environment, the environment over the file.`;

/** docs/reference/flags.md */
export function flagsPage(): string {
  const settings: readonly Setting<unknown>[] = Object.values(settingList);
  const groups = new Set<SettingGroup>(settings.map(({ group }) => group));
  const sections = [...groups].map((group) => {
    const rows = settings.filter((setting) => setting.group === group).map(row);
    return `\n## ${group}\n\n${table(['Flag', 'Environment', 'Default', 'Takes', 'Meaning'], rows)}`;
  });
  return pageHead('Flags', INTRO) + sections.join('');
}

function row(setting: Setting<unknown>): readonly string[] {
  const { flag, aliases, type, doc } = setting;
  const names = [flag, ...aliases].map((name) => code(`--${name}`)).join(', ');
  return [names, code(environmentName(flag)), code(setting.default), type.wanted, doc];
}
