import type { RetryForecast, RuleSource } from '../failure/forecast.ts';
import { oneLine, pad } from './text.ts';

/** What a retry would do, as lines for people. `configKnown`: there is a config, and with it the pools and the jobs. */
export function describeForecast(forecast: RetryForecast, { configKnown }: { readonly configKnown: boolean }): string[] {
  const { connection, queue, pool, maxAttempts, backoff, from, paused = false } = forecast;
  const says = (text: string, source: RuleSource): string =>
    source === 'default' && !configKnown ? "as its worker's pool says" : `${text}, ${sayer(source, pool)}`;
  const lines: readonly (readonly [name: string, value: string | undefined])[] = [
    ['outcome', outcome(forecast)],
    ['goes to', `queue ${queue} of connection ${connection}${paused ? ', which is paused' : ''}`],
    ['attempts', says(maxAttempts === 0 ? 'without limit' : String(maxAttempts), from.maxAttempts)],
    ['backoff', says(backoff, from.backoff)],
    ['unique key', uniqueKey(forecast)],
    ['job class', jobClass(forecast, configKnown)],
    ['properties', properties(forecast)],
  ];
  return [
    ...lines.flatMap(([name, value]) => (value === undefined ? [] : [`${pad(name, 13)}  ${oneLine(value)}`])),
    ...(forecast.faults ?? []).map((fault) => `${pad('', 13)}  - ${oneLine(fault)}`),
  ];
}

function outcome({ outcome: status, detail }: RetryForecast): string {
  return status === 'would_requeue' ? 'it would be put back' : `it would stay: ${detail ?? status}`;
}

function sayer(source: RuleSource, pool: string | null): string {
  switch (source) {
    case 'dispatch':
      return 'as its dispatch said';
    case 'job':
      return 'as the job says';
    case 'pool':
      return `as pool ${pool ?? ''} says`;
    case 'default':
      return 'the default: no pool of this config works the queue';
  }
}

function uniqueKey({ uniqueKey: key, outcome: status }: RetryForecast): string | undefined {
  if (key === undefined) return undefined;
  if (key.heldBy !== null) return `held by job ${key.heldBy}`;
  return status === 'duplicate' ? 'held by another job' : 'free';
}

function jobClass({ registered }: RetryForecast, configKnown: boolean): string {
  if (registered) return 'known here';
  return configKnown ? 'not known here: this config registers no job of this name' : 'not known here: there is no config';
}

function properties({ schema }: RetryForecast): string | undefined {
  switch (schema) {
    case 'fits':
      return "fit the job's schema";
    case 'misfit':
      return "do not fit the job's schema; it would fail again at once:";
    case 'unreadable':
      return 'cannot be read; it would fail again at once';
    case 'none':
      return 'the job has no schema';
    case 'unknown':
      return undefined;
  }
}
