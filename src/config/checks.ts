import { types } from 'node:util';
import { tryDurationMs } from '../duration.ts';
import type { Logger } from '../logger.ts';
import { parseBackoff, type Backoff } from '../job/backoff.ts';
import { missingMethods } from './class-value.ts';
import { describe, isPlainObject, reasonOf, show } from './describe.ts';
import { didYouMean } from './nearest.ts';
import { below, here, type Finding } from './finding.ts';

/** Looks at one value and says everything that is wrong with it; nothing where it is fine. */
export type Check = (value: unknown) => readonly Finding[];

/** A check with a single thing to say. */
function must(isFine: (value: unknown) => boolean, demand: string): Check {
  return (value) => (isFine(value) ? [] : [here(`must be ${demand}, not ${show(value)}`)]);
}

export const checkBoolean: Check = must((value) => typeof value === 'boolean', 'true or false');

export const checkDuration: Check = must(
  (value) => tryDurationMs(value) !== undefined,
  'a duration (seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d")',
);

export const checkMaxAttempts: Check = must(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'a whole number of at least 0 (0: no limit)',
);

export const checkQuantity: Check = must(
  (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 10_000,
  'a whole number from 1 to 10000',
);

export const checkObject: Check = (value) => (isPlainObject(value) ? [] : [here(`must be a plain object, not ${describe(value)}`)]);

/** Names of connections, pools, queues, jobs and releases: they become column values and labels. */
export const checkName: Check = (value) => {
  if (typeof value !== 'string') return [here(`must be a name (a string), not ${describe(value)}`)];
  if (value.trim() === '') return [here('is empty; give a name')];
  if (value.length > 255) return [here(`is ${value.length} characters long; 255 are allowed`)];
  if (/\p{Cc}/u.test(value)) return [here('holds a control character; remove it')];
  return [];
};

/** A single queue, which `'*'` is not. */
export const checkQueue: Check = (value) => (value === '*' ? [here('"*" means every queue; name one')] : checkName(value));

/** A list of queues in order of precedence, one queue, or `'*'` alone. */
export const checkQueues: Check = (value) => {
  if (value === '*') return [];
  if (typeof value === 'string') return checkName(value);
  if (!Array.isArray(value)) return [here(`must be a queue, a list of queues, or "*", not ${describe(value)}`)];
  if (value.length === 0) return [here('is an empty list; name a queue, or leave it out for the default queue of the connection')];
  const queues: readonly unknown[] = value;
  return queues.flatMap((queue, index) => {
    if (queue === '*')
      return queues.length === 1 ? [] : [{ path: [index], text: '"*" means every queue and stands alone; remove it or the others' }];
    const first = queues.indexOf(queue);
    if (first < index) return [{ path: [index], text: `${show(queue)} is listed twice; remove one` }];
    return below(index, checkName(queue));
  });
};

export const checkBackoff: Check = (value) => {
  if (Array.isArray(value)) return value.flatMap((delay, index) => below(index, checkDuration(delay)));
  if (typeof value === 'number' || typeof value === 'string') return checkDuration(value);
  try {
    parseBackoff(value as Backoff, '');
    return [];
  } catch (error) {
    return [here(`${reasonOf(error)}, not ${describe(value)}`)];
  }
};

// PostgreSQL cuts longer names without a word, so that two tables could become one.
export const checkSqlName: Check = must(
  (value) => typeof value === 'string' && value.trim() !== '' && value.length <= 63,
  'a name of 1 to 63 characters',
);

const loggerMethods = ['debug', 'info', 'warn', 'error', 'fatal', 'child'] as const satisfies readonly (keyof Logger)[];

export const checkLogger: Check = (value) => {
  const missing = missingMethods(value, loggerMethods);
  return missing.length === 0 ? [] : [here(`must be a logger of pino's shape; ${describe(value)} lacks ${missing.join(', ')}`)];
};

export const checkRedact: Check = (value) => {
  if (!Array.isArray(value)) return [here(`must be a list of dot paths and RegExps, not ${describe(value)}`)];
  return (value as readonly unknown[]).flatMap((rule, index): readonly Finding[] => below(index, checkRedactRule(rule)));
};

function checkRedactRule(rule: unknown): readonly Finding[] {
  if (types.isRegExp(rule)) return rule.source === '(?:)' ? [here('is an empty RegExp, which matches everywhere; give a pattern')] : [];
  if (typeof rule !== 'string') return [here(`must be a dot path such as "*.password" or a RegExp, not ${describe(rule)}`)];
  // A path with a hole would match nothing, and what it was to hide would show.
  return rule.split('.').some((part) => part.trim() === '')
    ? [here(`${show(rule)} is no dot path; write it like "properties.card.number" or "*.password"`)]
    : [];
}

/** A choice from a list; others not built yet are refused with that as the reason. */
export function checkChoice(choices: readonly string[], notYet: readonly string[] = []): Check {
  return (value) => {
    if (typeof value === 'string' && choices.includes(value)) return [];
    if (typeof value === 'string' && notYet.includes(value))
      return [here(`"${value}" is not available in this version; use ${orList(choices)}`)];
    return [here(`must be ${orList(choices)}, not ${show(value)}${typeof value === 'string' ? didYouMean(value, choices) : ''}`)];
  };
}

/** Refuses a key that this version knows and cannot honour, unless its value asks for nothing. */
export const checkUnavailable: Check = (value) => (asksForNothing(value) ? [] : [here('is not available in this version; remove it')]);

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isPlainObject(value) && Object.keys(value).length === 0;
}

function orList(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(words.length > 2 ? ', ' : ' or ');
}
