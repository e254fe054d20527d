import { createTransport } from '../kube/api-transport.ts';
import type { ClusterAccess } from '../kube/cluster-access.ts';
import { ClusterReporting, replicaIdentity } from '../kube/cluster-reporting.ts';
import type { ReportingSettings } from '../kube/cluster-reporting.ts';
import { ClusterSource } from '../kube/cluster-source.ts';
import { accessInCluster } from '../kube/in-cluster-access.ts';
import { accessFromKubeconfig } from '../kube/kube-credentials.ts';
import { Reflector } from '../kube/reflector.ts';
import { SnapshotFile } from '../kube/snapshot-file.ts';
import { watchPlan } from '../kube/watch-plan.ts';
import type { WatchSettings } from '../kube/watch-plan.ts';
import { ReportingTotals } from '../telemetry/reporting-totals.ts';
import { WatchTotals } from '../telemetry/watch-totals.ts';
import type { AppSource, SourceContext } from './app-source.ts';
import type { Settings } from './settings.ts';

/** The cluster as a source. Rejects with an Error for the operator when there are no credentials. */
export async function openCluster(settings: Settings, context: SourceContext): Promise<AppSource> {
  const { log, version } = context;
  const access = await openAccess(settings);
  const transport = createTransport(access, { userAgent: `sallyport/${version}` });
  const totals = new ReportingTotals();
  const watching = new WatchTotals();
  let reporting: ClusterReporting | undefined;
  /** Once everything was read: what a saved snapshot says of objects may be long past. */
  const startReporting = (): void => {
    if (source.waitingFor.length === 0) reporting?.start();
  };
  const source = new ClusterSource({
    plan: watchPlan(watchSettings(settings)),
    createReflector: (scope, sink) => new Reflector({ transport, scope, sink, metrics: watching }),
    onChange: (update) => {
      context.onChange(update);
      // Not before the cluster was read: every status would be written, because none was seen yet.
      startReporting();
    },
    log,
    snapshotWaitMs: settings.snapshotWaitMs,
    ...(settings.snapshotFile === ''
      ? {}
      : { snapshotFile: new SnapshotFile({ path: settings.snapshotFile, version, log }) }),
  });
  return {
    watching,
    reporting: { totals, isLeader: () => reporting?.isLeader() ?? false },
    description: { server: access.server.origin, credentials: access.origin },
    get waitingFor() {
      return source.waitingFor;
    },
    start: () => {
      if (settings.updateStatus) {
        const identity = replicaIdentity(process.env, access.namespace);
        const common = { transport, settings: reportingSettings(settings), identity, metrics: totals, log };
        reporting = new ClusterReporting({ ...common, feed: context.reports(), observed: source });
      }
      return source.start();
    },
    stop: async () => {
      await source.stop();
      await transport.close();
    },
    locate: () => source.locate(),
    identify: (kind, key) => source.refused(kind, key),
    fetch: (references) => source.fetch(references),
    settled: (snapshot) => {
      source.settled(snapshot);
      startReporting();
    },
    isSaved: (snapshot) => source.isSaved(snapshot),
    farewell: async () => reporting?.stop(),
  };
}

/** What of the cluster has to be read. */
function watchSettings(settings: Settings): WatchSettings {
  const named = (key: string): string | undefined => (key === '' ? undefined : key);
  return {
    watchNamespaces: settings.watchNamespaces.length === 0 ? undefined : settings.watchNamespaces,
    namespaceSelector: settings.watchNamespaceSelector.length > 0,
    ingressClassByName: settings.ingressClassByName,
    defaultBackendService: named(settings.defaultBackendService),
    defaultCertificate: named(settings.defaultCertificate),
    ticketSecret: named(settings.sslTicketSecret),
  };
}

/** Installations of other classes in the same cluster own the fields that they write. */
function reportingSettings(settings: Settings): ReportingSettings {
  const { ingressClass } = settings;
  return {
    ...settings,
    fieldManager: ingressClass === 'sallyport' ? 'sallyport' : `sallyport-${ingressClass}`,
  };
}

function openAccess({ kubeconfig, context }: Settings): Promise<ClusterAccess> | ClusterAccess {
  if (kubeconfig === '') return accessInCluster();
  return accessFromKubeconfig({ file: kubeconfig, context: context === '' ? undefined : context });
}
