import { pino } from 'pino';

type LogFields = Record<string, unknown>;

/** pino's shape: fields first, then the message. */
export interface Logger {
  debug(fields: LogFields, message?: string): void;
  info(fields: LogFields, message?: string): void;
  warn(fields: LogFields, message?: string): void;
  error(fields: LogFields, message?: string): void;
  fatal(fields: LogFields, message?: string): void;
  child(fields: LogFields): Logger;
}

const levels = ['debug', 'info', 'warn', 'error', 'fatal'] as const;

/** The default logger: JSON lines on stderr, so that stdout stays the program's own. Level: env `REDRIVE_LOG_LEVEL`, else `info`. */
export function defaultLogger(): Logger {
  const level = process.env['REDRIVE_LOG_LEVEL'] ?? 'info';
  return pino({ name: 'redrive', level: level in pino.levels.values || level === 'silent' ? level : 'info' }, pino.destination(2));
}

/** Wraps a logger so that one which throws can never reach a settlement: what it cannot log is dropped. */
export function safeLogger(inner: Logger): Logger {
  const safe = {} as Record<(typeof levels)[number], Logger['info']>;
  for (const level of levels) {
    safe[level] = (fields, message) => {
      try {
        inner[level](fields, message);
      } catch {
        // There is nowhere left to say it.
      }
    };
  }
  return {
    ...safe,
    child(fields) {
      try {
        return safeLogger(inner.child(fields));
      } catch {
        return this;
      }
    },
  };
}
