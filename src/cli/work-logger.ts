import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Logger } from '../logger.ts';
import type { Io } from './io.ts';
import { printableLines } from './text.ts';

/** The log of `work` on stderr: for people on a terminal, else JSON lines. Level: env `REDRIVE_LOG_LEVEL`, else `info`, with `--verbose` `debug`. */
export function workLogger(io: Io, verbose: boolean): Logger {
  const wanted = io.env['REDRIVE_LOG_LEVEL'] ?? (verbose ? 'debug' : 'info');
  const level = wanted in pino.levels.values || wanted === 'silent' ? wanted : 'info';
  return pino({ name: 'redrive', level }, { write: io.isTty.stderr ? prettyWriter(io) : (line) => void io.stderr.write(line) });
}

// Not pino-pretty's own stream: it writes a tick later, and the last lines before an exit are the ones that matter.
function prettyWriter(io: Io): (line: string) => void {
  const colorize = (io.env['NO_COLOR'] ?? '') === '';
  const format = prettyFactory({ colorize, ignore: 'name,pid,hostname', translateTime: 'SYS:HH:MM:ss' });
  return (line) => void io.stderr.write(format(harmless(line)));
}

/** The line with every text in it escaped for a terminal; messages come from anywhere. */
function harmless(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line, (_key, value: unknown) => (typeof value === 'string' ? printableLines(value).join('\n') : value)));
  } catch {
    return printableLines(line).join('\n');
  }
}
