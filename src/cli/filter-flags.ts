import { InvalidArgumentError, Option, type Command } from 'commander';
import { filterKeys, type FilterKey } from '../failure/filter-keys.ts';
import { writeFilter } from '../failure/filter.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import type { Cli } from './cli.ts';
import { shellWord } from './text.ts';

/** The flags that choose failed jobs, read. */
export interface FilterFlags extends Omit<FailedJobFilter, 'fingerprint'> {
  readonly group?: string;
}

type Key = FilterKey['key'];

/** Adds the flags that choose failed jobs, those of `without` left out. Each may be given once and all must hold. */
export function addFilterFlags(command: Command, cli: Cli, { without = [] }: { readonly without?: readonly Key[] } = {}): Command {
  for (const filterKey of filterKeys) {
    if (without.includes(filterKey.key)) continue;
    const { flag, value, description } = filterKey;
    command.addOption(new Option(`--${flag} ${value}`, description).argParser((text) => readFlag(filterKey, text, cli)));
  }
  return command;
}

function readFlag({ read }: FilterKey, text: string, cli: Cli): unknown {
  const reading = read(text, cli.services.clock.now());
  if ('value' in reading) return reading.value;
  throw new InvalidArgumentError(`It ${reading.fault}.`);
}

/** The filter that the flags stand for; empty where there are none. */
export function filterOf(flags: FilterFlags): FailedJobFilter {
  const given = filterKeys.map(({ key, flag }) => [key, (flags as Readonly<Record<string, unknown>>)[flag]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** The flags of a filter again, for a command that is to choose the same jobs later: times are absolute. */
export function filterWords(filter: FailedJobFilter): string {
  const texts = writeFilter(filter);
  return filterKeys
    .map(({ key, flag }) => {
      const text = texts[key];
      return text === undefined ? '' : ` --${flag} ${shellWord(text)}`;
    })
    .join('');
}
