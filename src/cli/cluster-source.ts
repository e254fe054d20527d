import type { Settings } from '../app/settings.ts';
import type { CommandContext } from './command-context.ts';
import type { CommandSource, SourceFlags } from './command-source.ts';

export interface ClusterChoice {
  readonly flags: SourceFlags;
  readonly settings: Settings;
  readonly context: CommandContext;
}

export function openCluster(_choice: ClusterChoice): Promise<CommandSource> {
  return Promise.reject(new Error('soon'));
}
