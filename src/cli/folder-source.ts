import { compileOptions } from '../app/compile-settings.ts';
import type { Settings } from '../app/settings.ts';
import { createCompiler } from '../compile/compiler.ts';
import { listDiagnostics } from '../compile/diagnostic-index.ts';
import { located } from '../control/diagnostic-report.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { readDirectoryOnce } from '../directory/read-directory-once.ts';
import type { CommandSource } from './command-source.ts';
import { CompiledSource } from './compiled-source.ts';

/** Reads and compiles a folder once; findings come by file and line. Rejects with an Error for the operator. */
export async function openFolder(settings: Settings, namespace: string | undefined): Promise<CommandSource> {
  const { snapshot, diagnostics, locate } = await readDirectoryOnce(settings.manifests);
  const result = createCompiler(compileOptions(settings)).compile(snapshot);
  const compiled = listDiagnostics(result.diagnostics).map((diagnostic) => located(diagnostic, { locate }));
  return new CompiledSource({
    place: settings.manifests,
    namespace,
    snapshot,
    table: { generation: 1, ...result.table },
    diagnostics: [...diagnostics, ...compiled].sort(byPlace),
    encodedSlashes: settings.encodedSlashes,
    ingressClass: settings.ingressClass,
  });
}

/** By file and line; what has no place comes last. */
function byPlace({ location: a }: Diagnostic, { location: b }: Diagnostic): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}
