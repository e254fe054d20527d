import type { SettingType } from './setting-types.ts';

/** One setting. Its flag is its name in the config file too; its environment form is `SALLYPORT_` and the flag in capitals. */
export interface Setting<T> {
  readonly flag: string;
  /** Other spellings of the flag, ingress-nginx's where they differ. */
  readonly aliases: readonly string[];
  readonly type: SettingType<T>;
  /** In the notation that users write. '' may be outside what `type` takes: then it means unset. */
  readonly default: string;
  /** One clause, for --help and the reference. */
  readonly doc: string;
  readonly group: SettingGroup;
}

export type SettingGroup =
  'Source' | 'Cluster' | 'Listening' | 'TLS' | 'Process' | 'Clients' | 'Forwarding' | 'Upstreams';

type Options = { readonly aliases?: readonly string[]; readonly default: string };

/** A row of a settings table. */
// oxlint-disable-next-line max-params -- a row of a table
export function setting<T>(
  group: SettingGroup,
  flag: string,
  type: SettingType<T>,
  options: Options,
  doc: string,
): Setting<T> {
  return { group, flag, type, aliases: options.aliases ?? [], default: options.default, doc };
}
