import type { FailedJob } from '../failure/failed-job.ts';
import type { JsonObject } from '../job/json.ts';
import { topApplicationFrame } from '../record/top-application-frame.ts';
import type { ExceptionSnapshot } from '../record/types.ts';
import { printableJson, printableLines } from './text.ts';

/** The exception of a failed job: message, detail, extended info, stack, then its causes in the same way. */
export function describeException(job: FailedJob): string[] {
  return [
    ...block(`${job.type}: `, job.message),
    ...(job.detail === null ? [] : block('detail: ', job.detail)),
    ...fields('extended info: ', job.extendedInfo),
    ...frames(job.stack),
    ...inside(job.exception),
    ...(job.exception.truncated === true ? ['(parts of it were too long to keep whole)'] : []),
  ];
}

/** The causes, and what an AggregateError gathered. Causes stay at one level, or fifty of them would leave the screen. */
function inside(exception: ExceptionSnapshot): string[] {
  const gathered = (exception.errors ?? []).flatMap((error, index) => [
    '',
    ...describeSnapshot(`error ${index + 1}: `, error).map((line) => `  ${line}`),
  ]);
  return exception.cause === undefined ? gathered : [...gathered, '', ...describeSnapshot('caused by ', exception.cause)];
}

function describeSnapshot(label: string, exception: ExceptionSnapshot): string[] {
  const code = exception.code === undefined ? '' : ` [${exception.code}]`;
  return [
    ...block(`${label}${exception.type}${code}: `, exception.message),
    ...fields('fields: ', exception.fields ?? null),
    ...frames(exception.stack),
    ...inside(exception),
  ];
}

function block(label: string, text: string): string[] {
  return printableLines(`${label}${text}`);
}

function fields(label: string, value: JsonObject | null): string[] {
  return value === null || Object.keys(value).length === 0 ? [] : `${label}${printableJson(value)}`.split('\n');
}

const frame = /^\s*at /;

/** The frames of a stack, marked with `>` where they are neither Node's nor a dependency's nor Redrive's. */
function frames(stack: string): string[] {
  const lines = printableLines(stack);
  // What comes before the first frame is the type and the message, which stand above already.
  const first = lines.findIndex((line) => frame.test(line));
  const shown = first === -1 ? [] : lines.slice(first).filter((line) => line !== '');
  return shown.map((line) => `${topApplicationFrame(line) === null ? '  ' : '> '}${line.trim()}`);
}
