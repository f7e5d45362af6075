import { z } from '@hono/zod-openapi';
import { pathText } from '../config/finding.ts';
import { didYouMean } from '../config/nearest.ts';
import { HttpFault } from './http-fault.ts';

type Issue = z.core.$ZodIssue;

/** What a validator of a route found wrong, as the answer to it. */
export function invalidInput(target: string, issues: readonly Issue[], schema: unknown): HttpFault {
  const inBody = target === 'json';
  const texts = issues.flatMap((issue) => textsOf(issue, schema, inBody ? 'key' : 'parameter'));
  const shown = texts.slice(0, 20);
  const detail = `${inBody ? 'The body is' : 'The parameters are'} not valid: ${shown.join('; ')}${texts.length > shown.length ? '; ...' : ''}`;
  return new HttpFault(inBody ? 'BODY_INVALID' : 'PARAMETER_INVALID', detail);
}

function textsOf(issue: Issue, schema: unknown, what: 'key' | 'parameter'): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return [`${pathText(issue.path, '') || 'it'}: ${wordingOf(issue)}`];
  const known = keysAt(schema, issue.path);
  return issue.keys.slice(0, 20).map((key) => {
    const name = pathText([...issue.path, key.length > 60 ? `${key.slice(0, 60)}…` : key]);
    const hint = didYouMean(key, known);
    const all = known.length === 0 ? '; none is known here' : `; known are ${known.join(', ')}`;
    return `${name}: no such ${what}${hint === '' ? all : hint}`;
  });
}

// Zod's own words are kept where they are any good to a reader of an answer.
function wordingOf(issue: Issue): string {
  const received = /received (\w+)$/.exec(issue.message)?.[1];
  if (issue.code === 'invalid_type' && received === 'undefined') return 'is missing';
  if (issue.code === 'invalid_type' && received === 'array' && issue.expected === 'string') return 'is given more than once';
  if (issue.code === 'invalid_type')
    return `must be ${article(issue.expected)}${issue.expected === 'int' ? 'whole number' : issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  return issue.message;
}

function article(noun: string): string {
  return /^[aeo]/.test(noun) ? 'an ' : 'a ';
}

/** The keys that the schema knows at a path; none where it is no object there. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const key of path) at = shapeOf(at)?.[String(key)];
  return Object.keys(shapeOf(at) ?? {});
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  let inner: unknown = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap();
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}
