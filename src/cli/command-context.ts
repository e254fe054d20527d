/** What a command sees of the world. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Results. */
  out(text: string): void;
  /** Messages. */
  err(text: string): void;
}

/** A command's exit code: 0 ok, 1 findings or failure, 2 usage. */
export type ExitCode = 0 | 1 | 2;

/** Something that the user typed cannot be used: the message goes to stderr and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
