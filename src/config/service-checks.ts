import { interceptionPoints } from '../interceptor/points.ts';
import { patternFault } from '../interceptor/job-pattern.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { Check } from './checks.ts';
import { isClass, methodNames, missingMethods, providesMethod } from './class-value.ts';
import { describe, reasonOf } from './describe.ts';
import { here, type Finding } from './finding.ts';
import { didYouMean, nearest } from './nearest.ts';

const providerMethods = ['init', 'push', 'startWorker'] as const satisfies readonly (keyof QueueProvider)[];

/** A provider as a config gives it: a class, a service identifier, or an instance. What an identifier stands for is seen at start. */
export const checkProvider: Check = (value) => {
  const fault = kindFault(value, 'provider');
  if (fault !== undefined) return [here(fault)];
  if (isIdentifier(value)) return [];
  const missing = isClass(value) ? providerMethods.filter((name) => !providesMethod(value, name)) : missingMethods(value, providerMethods);
  return missing.length === 0
    ? []
    : [here(`${describe(value)} is no provider: it lacks ${missing.map((name) => `${name}()`).join(', ')}; extend QueueProvider`)];
};

/** An interceptor as a config gives it: a class, a service identifier, or an instance. */
export const checkInterceptor: Check = (value) => {
  const fault = kindFault(value, 'interceptor');
  if (fault !== undefined) return [here(fault)];
  if (isIdentifier(value)) return [];
  try {
    const fields = isClass(value) ? interceptionPoints.filter((point) => providesMethod(value, point)) : [];
    const methods = isClass(value) ? value.prototype : (value as object);
    return checkPoints(methods, new Set([...methodNames(methods), ...fields]), describe(value));
  } catch (error) {
    return [here(`${describe(value)} cannot be inspected: ${reasonOf(error)}`)];
  }
};

/** What the methods of an interceptor, its own and inherited, say of the points it wants to be told of. */
function checkPoints(interceptor: object, names: ReadonlySet<string>, who: string): readonly Finding[] {
  const points = [...names].filter(isPoint);
  const mistyped = [...names].filter((name) => !isPoint(name) && /^on[A-Z]/.test(name) && nearest(name, interceptionPoints) !== undefined);
  if (points.length === 0 && mistyped.length === 0) {
    const hint = [...names].map((name) => didYouMean(name, interceptionPoints)).find((found) => found !== '') ?? '';
    return [here(`${who} has no method named after an interception point, such as onJobFailed${hint}`)];
  }
  return [
    ...mistyped.map((name) => ({ path: [name], text: `is no interception point${didYouMean(name, interceptionPoints)}` })),
    ...points.flatMap((point) => {
      const fault = patternFault(interceptor, point);
      return fault === undefined ? [] : [{ path: [point], text: fault }];
    }),
  ];
}

function isPoint(name: string): boolean {
  return (interceptionPoints as readonly string[]).includes(name);
}

function isIdentifier(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'symbol';
}

/** What is wrong with a value that can be neither class, nor identifier, nor instance. */
function kindFault(value: unknown, what: 'provider' | 'interceptor'): string | undefined {
  if (value === '') return 'is an empty service identifier';
  if (isIdentifier(value) || isClass(value) || (typeof value === 'object' && value !== null && !Array.isArray(value))) return undefined;
  if (value === undefined) return `is missing; give ${choices(what)} (a class is undefined where imports run in a circle)`;
  const instead = what === 'interceptor' && typeof value === 'function' ? '; for a single function use redrive.on(point, listener)' : '';
  return `must be ${choices(what)}, not ${describe(value)}${instead}`;
}

function choices(what: string): string {
  return `${what === 'provider' ? 'a provider' : 'an interceptor'} class, a service identifier bound in the container, or an instance`;
}
