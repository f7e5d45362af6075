import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { isRedriveError, type ErrorCode, type RedriveError } from '../errors.ts';
import type { StopSignal } from './io.ts';
import type { Output } from './output.ts';
import { oneLine } from './text.ts';

/** 0: done; 1: something asked for was not done; 2: wrong usage or config. */
export type ExitCode = 0 | 1 | 2 | 130 | 143;

/** The command line itself is wrong. */
export class UsageError extends Error {
  readonly code = 'USAGE_INVALID';
}

/** A failed job was named that is not there. */
export class NotFoundError extends Error {
  readonly code = 'FAILED_JOB_UNKNOWN';
}

/** A job was named that is not there. */
export class JobNotFoundError extends Error {
  readonly code = 'JOB_NOT_FOUND';
}

/** An address that cannot be listened on. */
export class AddressUnavailableError extends Error {
  readonly code = 'ADDRESS_UNAVAILABLE';
}

/** A signal ended a command before it was done. */
export class InterruptedError extends Error {
  readonly code = 'INTERRUPTED';
}

/** What a shell expects of a command that a signal ended. */
export const signalExitCode: Readonly<Record<StopSignal, ExitCode>> = { SIGINT: 130, SIGTERM: 143 };

/** A failure as a command tells it. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

// What the caller can only put right in the arguments or in the config; everything else is the world's doing and exits 1.
const usageCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CAPABILITY_MISSING',
  'CONFIG_INVALID',
  'CONFIG_NOT_FOUND',
  'CONNECTION_UNKNOWN',
  'CURSOR_INVALID',
  'DURATION_INVALID',
  'FILTER_INVALID',
  'JOB_UNKNOWN',
  'JOB_UNNAMED',
  'JOB_UNRESOLVABLE',
  'OPTIONS_INVALID',
  'PROPERTIES_INVALID',
  'QUEUE_UNKNOWN',
  'STORE_UNSUPPORTED',
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof CommanderError) return 2;
  return isRedriveError(error) && usageCodes.has(error.code) ? 2 : 1;
}

/** What an error has to say, in one line. */
export function faultOf(error: unknown): Fault {
  if (error instanceof CommanderError) return { code: 'USAGE_INVALID', message: commanderMessage(error) };
  if (!(error instanceof Error)) return { code: 'UNEXPECTED', message: oneLine(String(error)) };
  const code = (error as { code?: unknown }).code;
  if (isRedriveError(error) && error.faults.length > 0) return { code: error.code, message: allFaults(error) };
  return { code: typeof code === 'string' ? code : 'UNEXPECTED', message: oneLine(error.message) || error.name };
}

// Such a message lists its faults one a line; here they share one.
function allFaults(error: RedriveError): string {
  const [head = ''] = error.message.split('\n');
  return `${oneLine(head)} ${error.faults.map(oneLine).join('; ')}`;
}

/** Tells a failure: one line on stderr, with its stack where asked for, and the document of `--json` on stdout. */
export function printFault(error: unknown, out: Output, style: { readonly json: boolean; readonly verbose: boolean }): void {
  const fault = faultOf(error);
  out.fault(`redrive: ${faultLine(fault)}`);
  if (style.verbose && !(error instanceof CommanderError)) for (const line of inspect(error).split('\n')) out.detail(line);
  if (style.json && !out.hasPrinted) out.json({ error: fault });
}

/** A fault in one line; the code is what the reference is searched for. */
export function faultLine(fault: Fault): string {
  return fault.code === 'USAGE_INVALID' ? fault.message : `${fault.message} (${fault.code})`;
}

// Commander says `error: unknown option '--quue'` and, in a second line, `(Did you mean --queue?)`.
function commanderMessage({ code, message }: CommanderError): string {
  // `redrive help x`: Commander's only answer to an unknown x is the help.
  if (code === 'commander.help') return 'there is no such command; see redrive --help';
  return oneLine(message.replace(/^error: /, '').replace(/\(Did you mean/, '(did you mean'));
}
