import type { DiagnosticCode } from '../diagnostics/catalogue.ts';

/** Where a filter's `parse` half reports to. Paths given to it are relative to the filter's own value ('' is the value). */
export interface ParseContext {
  /** An error: the filter cannot be used as written and its route fails closed. */
  error(code: DiagnosticCode, path: string, message: string): void;
  /** A warning: the filter works, but not quite as written. */
  warn(code: DiagnosticCode, path: string, message: string): void;
}
