import { didYouMean } from '../config/nearest.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { definitionOf } from '../job/define.ts';

/** The names of the jobs that the config registers. */
export function jobNames(config: ResolvedConfig): ReadonlySet<string> {
  return new Set(config.jobs.flatMap((jobClass) => definitionOf(jobClass)?.name ?? []));
}

/** ` of emials.welcome (did you mean "emails.welcome"?)`, for an answer that found nothing; empty where the name may be meant. */
export function suspectJob(name: string | undefined, config: ResolvedConfig): string {
  const names = jobNames(config);
  const meant = name === undefined || names.has(name) ? '' : didYouMean(name, names);
  return meant === '' ? '' : ` of ${name}${meant}`;
}
