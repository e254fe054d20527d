import type { DiagnosticsByObject } from '../compile/diagnostic-index.ts';
import { describeRef } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, FileLocation, ObjectRef, Severity } from '../diagnostics/diagnostic.ts';
import type { Log, LogLevel } from '../telemetry/log.ts';

export interface DiagnosticReportOptions {
  readonly log: Log;
  /** Where a field was declared, for sources that know; an empty path stands for the object. */
  locate(ref: ObjectRef, path: string): FileLocation | undefined;
}

const levels: Readonly<Record<Severity, LogLevel>> = { error: 'error', warning: 'warn', info: 'info' };

/** What is wrong with the declared objects now, from the source and the compiler. Logs each finding when it comes and when it goes. */
export class DiagnosticReport {
  readonly #options: DiagnosticReportOptions;
  #fromSource: readonly Diagnostic[] = [];
  #fromCompiler: DiagnosticsByObject = new Map();
  /** Findings that were logged, by their text. */
  #logged = new Map<string, Diagnostic>();

  constructor(options: DiagnosticReportOptions) {
    this.#options = options;
  }

  /** Everything that the source finds now. */
  source(diagnostics: readonly Diagnostic[]): void {
    this.#fromSource = diagnostics;
    this.#log();
  }

  /** Everything that the compiler finds now. */
  compiler(diagnostics: DiagnosticsByObject): void {
    if (diagnostics === this.#fromCompiler) return;
    this.#fromCompiler = diagnostics;
    this.#log();
  }

  /** Everything that is wrong now, with locations where they are known. */
  *list(): Generator<Diagnostic> {
    for (const diagnostic of this.#fromSource) yield diagnostic;
    for (const diagnostics of this.#fromCompiler.values()) {
      for (const diagnostic of diagnostics) yield located(diagnostic, this.#options);
    }
  }

  #log(): void {
    const { log } = this.#options;
    const now = new Map<string, Diagnostic>();
    for (const diagnostic of this.list()) {
      const text = identity(diagnostic);
      now.set(text, diagnostic);
      if (!this.#logged.has(text)) log.write(levels[diagnostic.severity], 'finding', logFields(diagnostic));
    }
    for (const [text, diagnostic] of this.#logged) {
      if (!now.has(text)) log.info('finding resolved', logFields(diagnostic));
    }
    this.#logged = now;
  }
}

/** Adds where the field was declared. */
export function located(
  diagnostic: Diagnostic,
  { locate }: Pick<DiagnosticReportOptions, 'locate'>,
): Diagnostic {
  if (diagnostic.location !== undefined) return diagnostic;
  const location = locate(diagnostic.object, diagnostic.path);
  return location === undefined ? diagnostic : { ...diagnostic, location };
}

/** A finding whose line moved is still the same finding. */
function identity({ code, object, path, message, location }: Diagnostic): string {
  return [code, describeRef(object), path, message, location?.file ?? ''].join('\n');
}

function logFields({ code, object, path, message, hint, location }: Diagnostic): Record<string, unknown> {
  const place = location === undefined ? {} : { file: location.file, line: location.line };
  return { code, object: describeRef(object), path, detail: message, hint, ...place };
}
