import { z } from 'zod';
import type { Check } from './checks.ts';
import { describe, isPlainObject } from './describe.ts';
import type { Finding } from './finding.ts';
import { didYouMean } from './nearest.ts';

// What the schema of the config is made of: zod goes through the objects, and checks judge what stands in them.

/** What a schema gives. */
export type Parsed<S extends z.ZodType> = z.output<S>;

/** A value that is judged by a check and passes through as it is, the same object. */
export function leaf<T>(check: Check) {
  return z.custom<T>().check((context) => {
    for (const { path, text } of check(context.value))
      context.issues.push({ code: 'custom', message: text, path: [...path], input: context.value });
  });
}

/** An object with these keys and no others. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  const keys = Object.keys(shape);
  const fields = z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknownKey(key, keys)).join('\n') : undefined),
  });
  return z
    .custom<z.input<typeof fields>>(isPlainObject, {
      error: ({ input }) => `must be an object with ${keys.join(', ')}, not ${describe(input)}`,
    })
    .pipe(fields);
}

/** An object from names, which are the user's, to entries of one shape. */
export function byName<S extends z.ZodType>(entry: S) {
  const record = z.record(z.string(), entry);
  return z
    .custom<z.input<typeof record>>(isPlainObject, {
      error: ({ input }) => `must be an object from names to settings, not ${describe(input)}`,
    })
    .pipe(record);
}

function unknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known);
  return `unknown key${hint === '' ? `; known are ${known.join(', ')}` : hint}`;
}

/** A list of entries of one shape. */
export function listOf<S extends z.ZodType>(entry: S, what: string) {
  const list = z.array(entry);
  return z
    .custom<z.input<typeof list>>(Array.isArray, { error: ({ input }) => `must be a list of ${what}, not ${describe(input)}` })
    .pipe(list);
}

/** What zod found, as findings. */
export function issueFindings(error: z.ZodError): readonly Finding[] {
  return error.issues.flatMap((issue): readonly Finding[] => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, text: issue.message }];
    // One line for each key: `section` gave as many texts as there are keys.
    const texts = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ path: [...issue.path, key], text: texts[index] ?? 'unknown key' }));
  });
}
