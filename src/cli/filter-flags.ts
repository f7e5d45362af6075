import type { Command } from 'commander';
import type { FailedJobFilter, FailedJobStatus } from '../record/failure-log.ts';
import { failureKinds, type FailureKind } from '../record/types.ts';
import { notEmpty, oneOf, pointInTime } from './arguments.ts';
import type { Cli } from './cli.ts';
import { shellWord } from './text.ts';

export interface FilterFlags {
  readonly job?: string;
  readonly type?: string;
  readonly kind?: FailureKind;
  readonly group?: string;
  readonly text?: string;
  readonly since?: Date;
  readonly until?: Date;
}

const statuses: readonly (FailedJobStatus | 'any')[] = ['failed', 'retrying', 'resolved', 'any'];

/** Adds the flags that choose failed jobs. Each may be given once and all must hold. */
export function addFilterFlags(command: Command, cli: Cli): Command {
  const time = pointInTime(cli.services.clock);
  return command
    .option('--job <name>', 'only jobs of this name', notEmpty)
    .option('--type <type>', 'only exceptions of this type, such as TypeError', notEmpty)
    .option('--kind <kind>', `only failures of this kind: ${failureKinds.join(', ')}`, oneOf(failureKinds))
    .option('--group <fingerprint>', 'only failures of this group', notEmpty)
    .option('--text <text>', 'only where the message or the properties hold this text', notEmpty)
    .option('--since <time>', 'only failed at or after this time: 24h (ago), or 2026-11-22T12:30:00Z', time)
    .option('--until <time>', 'only failed before this time', time);
}

export const statusOption = [
  '--status <status>',
  `only of this status: ${statuses.join(', ')} (default: failed)`,
  oneOf(statuses),
] as const;

/** The filter that the flags stand for; empty where there are none. */
export function filterOf(flags: FilterFlags & { readonly status?: FailedJobStatus | 'any' }, queue: string | undefined): FailedJobFilter {
  const { job, type, kind, group, text, since, until, status } = flags;
  const filter = { queue, job, type, kind, fingerprint: group, text, since, until, status };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** The flags of a filter again, for a command that is to choose the same jobs later: times are absolute. */
export function filterWords(filter: FailedJobFilter): string {
  const words: readonly [flag: string, value: string | undefined][] = [
    ['--queue', filter.queue],
    ['--job', filter.job],
    ['--type', filter.type],
    ['--kind', filter.kind],
    ['--group', filter.fingerprint],
    ['--text', filter.text],
    ['--since', filter.since?.toISOString()],
    ['--until', filter.until?.toISOString()],
    ['--status', filter.status],
  ];
  return words.map(([flag, value]) => (value === undefined ? '' : ` ${flag} ${shellWord(value)}`)).join('');
}
