import type { Command } from 'commander';
import { Option } from 'commander';

import type { BackendEntry } from '../admin/backend-list.ts';
import type { RouteEntry } from '../admin/route-list.ts';
import type { Settings } from '../app/settings.ts';
import type { Diagnostic, ObjectRef } from '../diagnostics/diagnostic.ts';
import type { Explanation } from '../proxy/explain.ts';
import type { ExplainRequest } from '../proxy/explain-request.ts';
import { openAdmin } from './admin-source.ts';
import { UsageError } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { openFolder } from './folder-source.ts';
import { addSettingOptions, readSettings } from './setting-options.ts';

// What the commands that ask read from: a folder of manifests, a running process, or a cluster. The three answer alike, so
// that a command does not know which it has. The first and the last compile what they read, as `run` does; a running
// process is asked for its own answers.

export interface CommandSource {
  /** Where it reads, for people. */
  readonly place: string;
  /** The namespace that the user asks about; undefined is all. Nothing below is limited to it: the caller filters. */
  readonly namespace: string | undefined;
  /** Routes of the table, and those that did not get there. */
  routes(): Promise<readonly RouteEntry[]>;
  backends(): Promise<readonly BackendEntry[]>;
  findings(): Promise<readonly Diagnostic[]>;
  explain(request: ExplainRequest): Promise<FoundExplanation>;
  /** Why there may be no route at all, in a sentence for people; '' for none. Absent where it is not known. */
  readonly unserved?: () => string;
  /** Labels of an object; absent where they are not known. */
  readonly labels?: (object: ObjectRef) => ReadonlyMap<string, string>;
}

/** Why a request is served as it is, and what is wrong with the objects behind it. */
export interface FoundExplanation extends Explanation {
  readonly findings: readonly Diagnostic[];
}

/** Settings that decide what a source compiles into. */
const compileSettings = [
  'config',
  'manifests',
  'ingressClass',
  'controllerClass',
  'ingressClassByName',
  'watchWithoutClass',
  'watchNamespaces',
  'watchNamespaceSelector',
  'annotationsPrefix',
  'allowExternalName',
  'defaultBackendService',
  'encodedSlashes',
] as const satisfies readonly (keyof Settings)[];

/** What the user typed about where to read. */
export interface SourceFlags {
  readonly admin?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

/** Opens the source that the options of the command choose. */
export type OpenSource = (flags: SourceFlags) => Promise<CommandSource>;

const whereHeading = 'Where to read:';

/** Adds the options that choose a source and how it is compiled; hands back what opens it. */
export function addSourceOptions(command: Command, context: CommandContext): OpenSource {
  for (const option of sourceOptions()) command.addOption(option.helpGroup(whereHeading));
  const given = addSettingOptions(command, compileSettings, (name) =>
    name === 'manifests' ? whereHeading : 'As the controller is set:',
  );
  return (flags) => {
    const settings = readSettings(given, context);
    return openSource({ flags, manifestsFlag: given.get('manifests'), settings, context });
  };
}

function sourceOptions(): readonly Option[] {
  return [
    new Option('--admin <address>', 'running process to ask: host:port of its admin server, or a URL'),
    new Option(
      '--kubeconfig <path>',
      "kubeconfig file; left out, kubectl's own: $KUBECONFIG, ~/.kube/config",
    ),
    new Option('--context <name>', 'context of the kubeconfig; left out, its current one'),
    new Option(
      '-n, --namespace <name>',
      "namespace to ask about; left out, the context's, or all of a folder",
    ),
    new Option('-A, --all-namespaces', 'ask about every namespace'),
  ];
}

interface Choice {
  readonly flags: SourceFlags;
  /** --manifests as it was typed; the setting may come from the environment besides. */
  readonly manifestsFlag: string | undefined;
  readonly settings: Settings;
  readonly context: CommandContext;
}

/** What was typed goes before what the environment says; nothing at all means kubectl's cluster. */
async function openSource({ flags, manifestsFlag, settings, context }: Choice): Promise<CommandSource> {
  const { admin, kubeconfig, context: contextName } = flags;
  const wantsCluster = kubeconfig !== undefined || contextName !== undefined;
  const typed = [
    ...(manifestsFlag === undefined ? [] : ['--manifests']),
    ...(admin === undefined ? [] : ['--admin']),
    ...(wantsCluster ? [kubeconfig === undefined ? '--context' : '--kubeconfig'] : []),
  ];
  if (typed.length > 1) throw new UsageError(`Choose one source: ${typed.join(' and ')} were given`);
  if (flags.allNamespaces === true && flags.namespace !== undefined) {
    throw new UsageError(
      'Choose the namespaces: --namespace and --all-namespaces were given, want one of them',
    );
  }
  if (admin !== undefined) return openAdmin(admin, flags.namespace);
  if (settings.manifests !== '' && !wantsCluster) return openFolder(settings, flags.namespace);
  // Loading the cluster's half takes longer than any other command needs in all.
  const { openCluster } = await import('./cluster-source.ts');
  return openCluster({ flags, settings, context });
}
