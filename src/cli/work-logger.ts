import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Logger } from '../logger.ts';
import type { Io } from './io.ts';
import { printableLines } from './text.ts';

/**
 * The log of `work` on stderr: for people on a terminal, else JSON lines. Level: env `REDRIVE_LOG_LEVEL`, else `info`;
 * `verbose`: `debug`, and on a terminal every field.
 */
export function workLogger(io: Io, verbose: boolean): Logger {
  const wanted = io.env['REDRIVE_LOG_LEVEL'] ?? (verbose ? 'debug' : 'info');
  const level = wanted in pino.levels.values || wanted === 'silent' ? wanted : 'info';
  return pino({ name: 'redrive', level }, { write: io.isTty.stderr ? prettyWriter(io, verbose) : (line) => void io.stderr.write(line) });
}

// Not pino-pretty's own stream: it writes a tick later, and the last lines before an exit are the ones that matter.
function prettyWriter(io: Io, verbose: boolean): (line: string) => void {
  const format = prettyFactory({
    colorize: (io.env['NO_COLOR'] ?? '') === '',
    ignore: 'name,pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    hideObject: !verbose,
    messageFormat: (log, key) => `${textOf(log[key])}${verbose ? '' : frames(log)}`,
  });
  return (line) => void io.stderr.write(format(harmless(line)));
}

/** The line with every text in it escaped for a terminal; messages come from anywhere. */
function harmless(line: string): string {
  try {
    const shown: unknown = JSON.parse(line, (_key, value: unknown) =>
      typeof value === 'string' ? printableLines(value).join('\n') : value,
    );
    const { type, ...fields } = shown as Record<string, unknown>;
    // By the name "type" and the value "Error" pino-pretty knows an error of its own kind, whose stack it prints below all else.
    return JSON.stringify(type === undefined ? fields : { ...fields, exceptionType: type });
  } catch {
    return printableLines(line).join('\n');
  }
}

function textOf(message: unknown): string {
  return typeof message === 'string' ? message : '';
}

/** Of the fields only the stack's frames are shown: the message says the rest. */
function frames(log: Record<string, unknown>): string {
  const error = log['err'];
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? error.stack : log['stack'];
  if (typeof stack !== 'string') return '';
  return stack
    .split('\n')
    .filter((line) => /^\s*at /.test(line))
    .map((line) => `\n    ${line.trim()}`)
    .join('');
}
