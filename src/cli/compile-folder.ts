import { compileOptions } from '../app/compile-settings.ts';
import type { Settings } from '../app/settings.ts';
import { createCompiler } from '../compile/compiler.ts';
import { listDiagnostics } from '../compile/diagnostic-index.ts';
import { located } from '../control/diagnostic-report.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { readDirectoryOnce } from '../directory/read-directory-once.ts';
import type { RouteTable } from '../table/route-table.ts';
import { UsageError } from './command-context.ts';

/** Settings that decide what a folder of manifests compiles into. */
export const compileSettings = [
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

/** Reads and compiles a folder once; diagnostics come by file and line. Rejects with an Error for the operator. */
export async function compileFolder(
  settings: Settings,
): Promise<{ readonly table: RouteTable; readonly diagnostics: readonly Diagnostic[] }> {
  if (settings.manifests === '') throw new UsageError('Choose a folder with --manifests DIR');
  const { snapshot, diagnostics, locate } = await readDirectoryOnce(settings.manifests);
  const result = createCompiler(compileOptions(settings)).compile(snapshot);
  const compiled = listDiagnostics(result.diagnostics).map((diagnostic) => located(diagnostic, { locate }));
  return {
    table: { generation: 1, ...result.table },
    diagnostics: [...diagnostics, ...compiled].sort(byPlace),
  };
}

/** By file and line; what has no place comes last. */
function byPlace({ location: a }: Diagnostic, { location: b }: Diagnostic): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}
