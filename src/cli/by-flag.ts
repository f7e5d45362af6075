import type { Command } from 'commander';
import { notEmpty } from './arguments.ts';
import type { Io } from './io.ts';

export interface ByFlag {
  readonly by?: string;
}

export function addByFlag(command: Command): Command {
  return command.option('--by <name>', 'who asks, for the record (default: the user of this shell)', notEmpty);
}

/** Who asks. */
export function byOf(flags: ByFlag, env: Io['env']): string {
  return flags.by ?? env['USER'] ?? env['USERNAME'] ?? 'cli';
}
