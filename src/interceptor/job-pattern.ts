import { types } from 'node:util';
import { RedriveError } from '../errors.ts';

/** Works as a method decorator of either kind: `experimentalDecorators` or the language's own. */
export interface JobPatternDecorator {
  (target: object, method: string | symbol, descriptor?: PropertyDescriptor): void;
  (method: (...args: never[]) => unknown, context: ClassMethodDecoratorContext): void;
}

type Recorded = { readonly regexp: RegExp } | { readonly fault: string };

// Of the global registry: an interceptor may be written against another copy of this package.
const patterns = Symbol.for('redrive/jobPatterns');
const matchesNothing = /(?!)/;

/**
 * Restricts a method of an interceptor to jobs whose name matches. A string is made into a RegExp. A pattern that is
 * empty or none is a fault of the config, told with all others by `redriveModule`, `createRedrive` or `start`.
 *
 * A method that overrides a restricted one is not restricted by that. Written as the language's own decorator it belongs
 * above decorators that replace the method.
 *
 * @example
 * class NotifyOps implements Interceptor {
 *   @jobPattern(/^payments\./)
 *   async onJobFailed({ job, exception }: JobFailedEvent) { ... }
 * }
 */
export function jobPattern(pattern: RegExp | string): JobPatternDecorator {
  const recorded = read(pattern);
  return (target: object, place: string | symbol | ClassMethodDecoratorContext | undefined): void => {
    if (typeof place === 'string' || typeof place === 'symbol') return record(target, place, recorded);
    if (place?.kind !== 'method')
      throw new RedriveError(
        'CONFIG_INVALID',
        `@jobPattern goes on a method of an interceptor, such as onJobFailed, not on a ${place?.kind ?? 'class'}`,
      );
    // The language's own decorators see no prototype, so the method itself carries the mark.
    record(target, patterns, recorded);
  };
}

/**
 * The pattern that restricts this point of an interceptor; undefined where every job is meant. The RegExp is a copy without
 * `g` and `y`, so that testing it twice gives the same answer. A pattern at fault matches nothing.
 */
export function patternFor(interceptor: object, point: string): RegExp | undefined {
  const recorded = find(interceptor, point);
  if (recorded === undefined) return undefined;
  return 'regexp' in recorded ? recorded.regexp : matchesNothing;
}

/** What is wrong with the pattern of this point; undefined where nothing is, or no pattern is set. */
export function patternFault(interceptor: object, point: string): string | undefined {
  const recorded = find(interceptor, point);
  return recorded !== undefined && 'fault' in recorded ? recorded.fault : undefined;
}

function read(pattern: unknown): Recorded {
  if (typeof pattern !== 'string' && !types.isRegExp(pattern)) return { fault: 'its jobPattern is neither a RegExp nor a string' };
  try {
    const regexp = typeof pattern === 'string' ? new RegExp(pattern) : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    if (regexp.source !== '(?:)') return { regexp };
    return { fault: 'its jobPattern is empty and would match every job; give a pattern such as /^payments\\./, or remove it' };
  } catch (error) {
    return { fault: `its jobPattern is no valid RegExp: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function record(holder: object, key: string | symbol, recorded: Recorded): void {
  if (!Object.hasOwn(holder, patterns)) Object.defineProperty(holder, patterns, { value: new Map() });
  recordsOf(holder)?.set(key, recorded);
}

function find(interceptor: object, point: string): Recorded | undefined {
  for (let level: object | null = interceptor; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const recorded = recordsOf(level)?.get(point);
    if (recorded !== undefined) return recorded;
    const method: unknown = Object.getOwnPropertyDescriptor(level, point)?.value;
    if (typeof method !== 'function') continue;
    const marked = recordsOf(method)?.get(patterns);
    // A class that overrides a method without a pattern lifts the restriction; a field of the object itself does not
    // end the search, since its decorator, if any, ran on the prototype.
    if (marked !== undefined || Object.hasOwn(level, 'constructor')) return marked;
  }
  return undefined;
}

function recordsOf(holder: object): Map<string | symbol, Recorded> | undefined {
  return Object.hasOwn(holder, patterns) ? (holder as Record<symbol, Map<string | symbol, Recorded>>)[patterns] : undefined;
}
