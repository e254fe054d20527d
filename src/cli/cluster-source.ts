import { compileOptions } from '../app/compile-settings.ts';
import type { Settings } from '../app/settings.ts';
import { createCompiler } from '../compile/compiler.ts';
import { listDiagnostics } from '../compile/diagnostic-index.ts';
import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { ClusterAccess } from '../kube/cluster-access.ts';
import { createTransport } from '../kube/api-transport.ts';
import { ClusterReadError, readClusterOnce } from '../kube/read-cluster-once.ts';
import type { ClusterContents, SkippedScope } from '../kube/read-cluster-once.ts';
import type { Transport } from '../kube/transport.ts';
import type { WatchSettings } from '../kube/watch-plan.ts';
import type { RouteTable } from '../table/route-table.ts';
import { chooseCluster } from './choose-cluster.ts';
import type { CommandContext } from './command-context.ts';
import type { CommandSource, SourceFlags } from './command-source.ts';
import { CompiledSource } from './compiled-source.ts';
import { version } from './version.ts';

// A cluster, read once with the user's own rights and compiled as the controller would. Everything is read even when one
// namespace is asked about, because objects of another may hold its hosts; only who may not read everything gets less, and
// is told so. Loaded by commands that read a cluster and by no others: it brings the cluster's client along.

export interface ClusterChoice {
  readonly flags: SourceFlags;
  readonly settings: Settings;
  readonly context: CommandContext;
}

/** Rejects with an Error for the operator, a UsageError when there is no cluster to read. */
export async function openCluster({ flags, settings, context }: ClusterChoice): Promise<CommandSource> {
  const { kubeconfig = settings.kubeconfig, context: contextName = settings.context } = flags;
  const access = await chooseCluster({ kubeconfig, context: contextName }, context);
  const home = flags.namespace ?? access.namespace ?? 'default';
  const transport = createTransport(access, { userAgent: `sallyport-cli/${version}` });
  const notes = new Set<string>();
  const progress = setTimeout(() => {
    if (process.stderr.isTTY) context.err(`Reading the cluster of ${access.origin} …\n`);
  }, quietMs);
  try {
    const reader = { transport, note: (text: string) => void notes.add(text) };
    const { contents, table, diagnostics } = await readAsAllowed(reader, settings, {
      fallback: flags.allNamespaces === true ? undefined : home,
    });
    for (const text of describeSkipped(contents.skipped)) notes.add(text);
    return new CompiledSource({
      place: access.origin,
      namespace: flags.allNamespaces === true ? undefined : home,
      snapshot: contents.snapshot,
      table,
      diagnostics,
      encodedSlashes: settings.encodedSlashes,
      ingressClass: settings.ingressClass,
    });
  } catch (error) {
    throw forOperator(error, access);
  } finally {
    clearTimeout(progress);
    for (const note of notes) context.err(`Note: ${note}\n`);
    await transport.close();
  }
}

/** What takes longer says that it is at work. */
const quietMs = 1000;
/** There may be thousands of Secrets. */
const maxNamed = 5;

interface Reader {
  readonly transport: Transport;
  /** One sentence about what could not be read. */
  readonly note: (text: string) => void;
}

interface CompiledCluster {
  readonly contents: ClusterContents;
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
}

/** Adds what to do about it. */
function forOperator(error: unknown, { origin, server }: ClusterAccess): unknown {
  if (!(error instanceof ClusterReadError)) return error;
  const { kind, message } = error.reason;
  if (kind === 'unauthorized') {
    const hint = 'log in again, or choose other credentials with --context';
    return new Error(`Cannot log in to the cluster of ${origin}: ${message}; ${hint}`, { cause: error });
  }
  if (kind !== 'unreachable') return error;
  const hint = 'is it running, and is this its address?';
  return new Error(`Cannot reach the API server ${server.origin} of ${origin}: ${message}; ${hint}`, {
    cause: error,
  });
}

/** Everything, else one namespace; with classes, else by the name of the class. */
async function readAsAllowed(
  reader: Reader,
  settings: Settings,
  { fallback }: { readonly fallback: string | undefined },
): Promise<CompiledCluster> {
  const isWhole = settings.watchNamespaces.length === 0;
  let read: CompiledCluster;
  let allowed = settings;
  try {
    read = await readAndCompile(reader, settings);
  } catch (error) {
    if (!isWhole || fallback === undefined || !isForbidden(error)) throw error;
    allowed = { ...settings, watchNamespaces: [fallback] };
    read = await readAndCompile(reader, allowed);
    reader.note(`you may read one namespace only: conflicts with others than "${fallback}" do not show`);
  }
  const hasClasses = !read.contents.skipped.some(({ scope }) => scope.resource.kind === 'IngressClass');
  if (hasClasses || allowed.ingressClassByName) return read;
  reader.note(
    `you may not read IngressClasses: taking "${settings.ingressClass}" by its name as the class that is served`,
  );
  return readAndCompile(reader, { ...allowed, ingressClassByName: true });
}

function isForbidden(error: unknown): boolean {
  return error instanceof ClusterReadError && error.reason.kind === 'forbidden';
}

async function readAndCompile({ transport }: Reader, settings: Settings): Promise<CompiledCluster> {
  const compiler = createCompiler(compileOptions(settings));
  const contents = await readClusterOnce({
    transport,
    watch: watchSettings(settings),
    references: (snapshot) => compiler.compile(snapshot).references,
  });
  const result = compiler.compile(contents.snapshot);
  const unread = unreadObjects(contents.skipped);
  const isAboutUnread = ({ code, message }: Diagnostic): boolean =>
    missing.has(code) && unread.some((key) => message.includes(`"${key}"`));
  return {
    contents,
    table: { generation: 1, ...result.table },
    diagnostics: [...contents.diagnostics, ...listDiagnostics(result.diagnostics)].filter(
      (diagnostic) => !isAboutUnread(diagnostic),
    ),
  };
}

/** What the compiler says of what is not in the snapshot, and so of a Secret or ConfigMap that could not be read. */
const missing: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>(['SP2201', 'SP2205']);

/** `namespace/name` of what is read by name and could not be. */
function unreadObjects(skipped: readonly SkippedScope[]): readonly string[] {
  return skipped.flatMap(({ scope: { namespace = '', name } }) =>
    name === undefined ? [] : [`${namespace}/${name}`],
  );
}

/** One sentence on what may not be read, one on each kind that failed. IngressClasses are spoken of apart. */
function describeSkipped(skipped: readonly SkippedScope[]): readonly string[] {
  const others = skipped.filter(({ scope }) => scope.resource.kind !== 'IngressClass');
  const [refused = [], failed = []] = [true, false].map((isRefused) =>
    others.filter(({ reason }) => (reason.kind === 'forbidden') === isRefused),
  );
  const failures = failed.map(({ what, reason }) => `${what} cannot be read: ${reason.message}`);
  if (refused.length === 0) return failures;
  const shown = refused.slice(0, maxNamed).map(({ what }) => what);
  const more = refused.length > maxNamed ? ` and ${refused.length - maxNamed} more` : '';
  const closes = refused.some(({ scope }) => scope.name !== undefined)
    ? '; what needs it shows as closed or without endpoints, and may not be'
    : '';
  return [`what you may not read counts as absent: ${shown.join(', ')}${more}${closes}`, ...failures];
}

function watchSettings(settings: Settings): WatchSettings {
  const { watchNamespaces, watchNamespaceSelector, defaultBackendService } = settings;
  return {
    watchNamespaces: watchNamespaces.length === 0 ? undefined : watchNamespaces,
    namespaceSelector: watchNamespaceSelector.length > 0,
    ingressClassByName: settings.ingressClassByName,
    defaultBackendService: defaultBackendService === '' ? undefined : defaultBackendService,
    defaultCertificate: undefined,
  };
}
