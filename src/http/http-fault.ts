import { isRedriveError, type ErrorCode } from '../errors.ts';

/** The codes that only HTTP answers have, each with its status and the sentence the reference prints beside it. */
export const httpCodes = {
  ALREADY_EXISTS: [409, 'Another job holds the unique key of the one that was to be retried.'],
  AUTHENTICATION_REQUIRED: [401, 'No token was given, or a wrong one.'],
  BEING_RETRIED: [409, 'The failed job is being retried at this moment.'],
  BODY_CONSUMED: [500, 'Something in front of Redrive has read the body already.'],
  BODY_INVALID: [400, 'The body is no JSON, or has an unknown key or a bad value.'],
  BODY_TOO_LARGE: [413, 'The body is larger than this server takes.'],
  BULK_RETRY_UNKNOWN: [404, 'There is no bulk retry of this id.'],
  CROSS_SITE: [403, "A browser's write came from another site."],
  FAILED_JOB_UNKNOWN: [404, 'There is no failed job of this id.'],
  HOST_REFUSED: [403, 'The Host header names a host that this server was not told to serve.'],
  JOB_NOT_FOUND: [404, 'There is no job of this id, or it is not kept any more.'],
  MEDIA_TYPE_UNSUPPORTED: [415, 'The body is not declared as application/json.'],
  METHOD_NOT_ALLOWED: [405, 'The path exists, but not with this method; the Allow header has those it takes.'],
  NOT_FAILED: [409, 'The job is not failed: it was retried or resolved already, or never failed.'],
  NOT_PERMITTED: [403, '`authorize` said no, or nobody may come from beyond this machine without a token.'],
  NOT_READY: [503, 'A store cannot be used at this moment.'],
  NOT_RETRIABLE: [409, 'The failed job cannot be retried as it is; the detail says why.'],
  NOT_STEERABLE: [409, 'The bulk retry is in no state for that: it has ended, or is paused or running already.'],
  PARAMETER_INVALID: [400, 'A query parameter is unknown or has a bad value.'],
  PATH_UNKNOWN: [404, 'There is nothing at this path.'],
  READ_ONLY: [403, 'This server only reads.'],
  UNEXPECTED: [500, 'Something that should not happen; the log of the server says what.'],
  URL_TOO_LONG: [414, 'The URL is longer than 8 KiB.'],
} as const satisfies Record<string, readonly [status: number, meaning: string]>;

export type HttpCode = keyof typeof httpCodes;

/** An answer that is no success, thrown wherever it is found out. */
export class HttpFault extends Error {
  readonly status: number;
  readonly code: HttpCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.code = code;
    this.status = httpCodes[code][0];
    this.headers = headers;
  }
}

// What a client can put right is 4xx, an outage is 503, what this server was not set up for is 501; all else is a fault of ours.
const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  CAPABILITY_MISSING: 501,
  CONNECTION_UNKNOWN: 400,
  CURSOR_INVALID: 400,
  DURATION_INVALID: 400,
  FAILED_JOBS_OFF: 501,
  FILTER_INVALID: 400,
  JOB_UNKNOWN: 400,
  OPTIONS_INVALID: 400,
  PROPERTIES_INVALID: 400,
  QUEUE_UNKNOWN: 400,
  STOPPED: 503,
};

/** What is answered instead of a success. */
export interface FaultAnswer {
  readonly status: number;
  readonly body: { readonly detail: string; readonly code: string };
  readonly headers: Readonly<Record<string, string>>;
}

/** The answer to an error; undefined for one that nobody foresaw, of which a client learns nothing. */
export function answerTo(error: unknown): FaultAnswer | undefined {
  if (error instanceof HttpFault)
    return { status: error.status, body: { detail: error.message, code: error.code }, headers: error.headers };
  if (!isRedriveError(error)) return undefined;
  const status = statuses[error.code] ?? (error.code.startsWith('STORE_') ? 503 : undefined);
  return status === undefined ? undefined : { status, body: { detail: oneLine(error.message), code: error.code }, headers: {} };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
