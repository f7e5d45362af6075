import { RedriveError } from '../errors.ts';
import { describe, show } from './describe.ts';
import { didYouMean } from './nearest.ts';

/** What the options of a call may be: what each key must be, in words, or nothing where the call checks it by itself. */
export type OptionKinds = Readonly<Record<string, OptionKind | undefined>>;

export type OptionKind = 'text' | 'boolean' | 'list' | 'function' | readonly string[];

/** Refuses options that are no object, keys nobody knows, and values of another kind. Throws `OPTIONS_INVALID` with every fault. */
export function checkOptions(call: string, options: unknown, kinds: OptionKinds): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new RedriveError('OPTIONS_INVALID', `The options of ${call} must be an object, not ${describe(options)}`);
  const faults = Object.entries(options).flatMap(([key, value]: [string, unknown]) => faultsOf(call, { key, value }, kinds));
  if (faults.length > 0) throw new RedriveError('OPTIONS_INVALID', faults.join('; '), { faults });
}

/** Throws `OPTIONS_INVALID` for what names no queue. Whatever a job may have been dispatched to is a name. */
export function checkQueueName(queue: unknown): void {
  if (queue === '*') throw new RedriveError('OPTIONS_INVALID', 'queue: "*" means every queue; name one');
  if (typeof queue !== 'string' || queue.trim() === '' || queue.length > 255)
    throw new RedriveError('OPTIONS_INVALID', `queue: must be a name of 1 to 255 characters, not ${show(queue)}`);
}

function faultsOf(call: string, { key, value }: { key: string; value: unknown }, kinds: OptionKinds): readonly string[] {
  const known = Object.keys(kinds);
  if (!known.includes(key)) return [`${key}: no such option of ${call}${didYouMean(key, known) || `; known are ${known.join(', ')}`}`];
  const kind = kinds[key];
  return value === undefined || kind === undefined || isOfKind(value, kind)
    ? []
    : [`${key}: must be ${wordsOf(kind)}, not ${show(value)}${hintFor(value, kind)}`];
}

function isOfKind(value: unknown, kind: OptionKind): boolean {
  if (kind === 'text') return typeof value === 'string' && value.trim() !== '';
  if (kind === 'boolean') return typeof value === 'boolean';
  if (kind === 'list') return Array.isArray(value);
  if (kind === 'function') return typeof value === 'function';
  return kind.includes(value as string);
}

function wordsOf(kind: OptionKind): string {
  if (kind === 'text') return 'a text that is not empty';
  if (kind === 'boolean') return 'true or false';
  if (kind === 'list') return 'a list';
  if (kind === 'function') return 'a function';
  return kind.map((word) => `"${word}"`).join(' or ');
}

function hintFor(value: unknown, kind: OptionKind): string {
  return typeof kind === 'string' || typeof value !== 'string' ? '' : didYouMean(value, kind);
}
