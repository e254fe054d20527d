import type { ObjectReports } from '../control/object-reports.ts';
import type { Source, SourceUpdate } from '../control/source.ts';
import type { Identify } from '../control/unread-objects.ts';
import { DirectorySource } from '../directory/directory-source.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Log } from '../telemetry/log.ts';
import type { ReportingTotals } from '../telemetry/reporting-totals.ts';
import type { WatchTotals } from '../telemetry/watch-totals.ts';
import type { Settings } from './settings.ts';

/** The source that the settings ask for, with what only its kind has. */
export interface AppSource extends Source {
  /** For the line in the log about the start. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Which version of an object it is that could not be read. */
  readonly identify?: Identify;
  /** What was watched, where something is. */
  readonly watching?: WatchTotals;
  /** What is written about this process, where something is. */
  readonly reporting?: { readonly totals: ReportingTotals; isLeader(): boolean };
  /** Every worker serves what this snapshot compiles to. */
  settled(snapshot: Snapshot): void;
  /** Whether what a snapshot says of objects may be long past: nobody is told of it. */
  isSaved(snapshot: Snapshot): boolean;
  /** What is not read yet and readiness waits for, for people. */
  readonly waitingFor: readonly string[];
  /** Traffic has ended: takes back what was written about this process, as far as that is possible. Never rejects. */
  farewell(): Promise<void>;
}

export interface SourceContext {
  readonly version: string;
  readonly log: Log;
  readonly reports: () => ObjectReports;
  onChange(update: SourceUpdate): void;
}

/** Opens a folder of manifests, or the cluster. Nothing is read before `start`. Rejects with an Error for the operator. */
export async function openSource(settings: Settings, context: SourceContext): Promise<AppSource> {
  if (settings.manifests !== '') return openFolder(settings, context);
  // A process that serves a folder does without the Kubernetes client.
  const { openCluster } = await import('./cluster-controller.ts');
  return openCluster(settings, context);
}

function openFolder({ manifests }: Settings, context: SourceContext): AppSource {
  const source = new DirectorySource(manifests, { onChange: (update) => context.onChange(update) });
  return {
    description: { manifests },
    waitingFor: [],
    start: () => source.start(),
    stop: () => source.stop(),
    locate: (ref, path) => source.locate(ref, path),
    settled: () => undefined,
    isSaved: () => false,
    farewell: () => Promise.resolve(),
  };
}
