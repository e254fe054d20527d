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

/** Findings of one place that were logged, by their text. */
type Logged = ReadonlyMap<string, Diagnostic>;

const nothing: Logged = new Map();

/** What is wrong with the declared objects now, from the source and the compiler. Logs each finding when it comes and when it goes. */
export class DiagnosticReport {
  readonly #options: DiagnosticReportOptions;
  #fromSource: readonly Diagnostic[] = [];
  #fromCompiler: DiagnosticsByObject = new Map();
  #sourceLogged = nothing;
  /** By object, as the compiler names them. */
  readonly #compilerLogged = new Map<string, Logged>();

  constructor(options: DiagnosticReportOptions) {
    this.#options = options;
  }

  /** Everything that the source finds now. The same list as before costs nothing. */
  source(diagnostics: readonly Diagnostic[]): void {
    if (diagnostics === this.#fromSource) return;
    this.#fromSource = diagnostics;
    this.#sourceLogged = this.#log(this.#sourceLogged, diagnostics);
  }

  /** Everything that the compiler finds now. `changed` names the objects that may differ from the time before; left out, all may. */
  compiler(diagnostics: DiagnosticsByObject, changed?: ReadonlySet<string>): void {
    if (diagnostics === this.#fromCompiler) return;
    this.#fromCompiler = diagnostics;
    for (const object of changed ?? new Set([...this.#compilerLogged.keys(), ...diagnostics.keys()])) {
      const now = (diagnostics.get(object) ?? []).map((diagnostic) => located(diagnostic, this.#options));
      const logged = this.#log(this.#compilerLogged.get(object) ?? nothing, now);
      if (logged.size > 0) this.#compilerLogged.set(object, logged);
      else this.#compilerLogged.delete(object);
    }
  }

  /** Everything that is wrong now, with locations where they are known. */
  *list(): Generator<Diagnostic> {
    for (const diagnostic of this.open()) yield located(diagnostic, this.#options);
  }

  /** The same without looking for locations, for those who count. */
  *open(): Generator<Diagnostic> {
    yield* this.#fromSource;
    for (const diagnostics of this.#fromCompiler.values()) yield* diagnostics;
  }

  #log(before: Logged, diagnostics: readonly Diagnostic[]): Logged {
    const { log } = this.#options;
    const now = new Map<string, Diagnostic>();
    for (const diagnostic of diagnostics) {
      const text = identity(diagnostic);
      now.set(text, diagnostic);
      if (!before.has(text)) log.write(levels[diagnostic.severity], 'finding', logFields(diagnostic));
    }
    for (const [text, diagnostic] of before) {
      if (!now.has(text)) log.info('finding resolved', logFields(diagnostic));
    }
    return now;
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
