import { HttpFault } from './http-fault.ts';

// What a backend could have given out as an id. Anything else is not asked for: some databases refuse the whole query for it.
const form = /^[A-Za-z0-9][\w.:-]{0,254}$/;

/** An id as the API takes it: digits are a failed job's number. Undefined for a text that no job can have as its id. */
export function idOf(text: string): string | number | undefined {
  if (!form.test(text)) return undefined;
  if (!/^\d+$/.test(text)) return text;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** True for what a job could have as its id; digits are a failed job's number. */
export function isJobId(text: string): boolean {
  return form.test(text) && !/^\d+$/.test(text);
}

export function noFailedJob(id: string): HttpFault {
  return new HttpFault('FAILED_JOB_UNKNOWN', `Job ${shown(id)} not found in failed jobs registry`);
}

export function noJob(id: string): HttpFault {
  return new HttpFault('JOB_NOT_FOUND', `Job ${shown(id)} not found`);
}

function shown(id: string): string {
  const text = id.length > 100 ? `${id.slice(0, 100)}…` : id;
  return text.replaceAll(/[\p{Cc}\p{Cs}]/gu, '\uFFFD');
}
