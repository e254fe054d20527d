import { pino, stdTimeFunctions } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export type LogFields = Readonly<Record<string, unknown>>;

/** Messages are static texts that can be searched for; facts go into fields. An Error goes into the field `err`. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** For a level that is only known at run time, as with lines that workers send. */
  write(level: LogLevel, message: string, fields?: LogFields): void;
}

/** Takes whole lines and never waits: LogWriter, or a list in tests. */
export interface LogDestination {
  write(text: string): void;
}

/** JSON lines `{"level","time","component"?,…fields,"msg"}` at `level` and above. */
export function createLog(destination: LogDestination, level: LogLevel | 'silent'): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const write = (at: LogLevel, message: string, fields?: LogFields): void => {
    if (fields === undefined) logger[at](message);
    else logger[at](fields, message);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    fatal: (message, fields) => write('fatal', message, fields),
    write,
  };
}
