import type { Logger } from '../logger.ts';
import type { Output } from './output.ts';

/** What Redrive logs while a command runs: warnings and errors as lines on stderr, everything with `--verbose`. */
export function commandLogger(out: Output, verbose: boolean): Logger {
  const say = (level: string) => (fields: Record<string, unknown>, message?: string) =>
    out.fault(`redrive: ${level}: ${message ?? ''}${reason(fields)}`);
  const quiet = (): void => undefined;
  return {
    debug: verbose ? say('debug') : quiet,
    info: verbose ? say('info') : quiet,
    warn: say('warning'),
    error: say('error'),
    fatal: say('fatal'),
    child() {
      return this;
    },
  };
}

function reason(fields: Record<string, unknown>): string {
  const error = fields['err'] ?? fields['error'];
  return error instanceof Error ? `: ${error.message}` : '';
}
