import { join } from 'node:path';
import { defineJob, Unrecoverable, type JsonObject, type Redrive } from '../../src/index.ts';
import { redriveHttp, type RedriveHttp, type RedriveHttpOptions } from '../../src/http/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { sqliteRedrive, type SqliteRedriveOptions } from '../support/sqlite-redrive.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export class CardDeclined extends Error {
  override name = 'CardDeclined';
}

/** Fails at once, with a cause. */
export const charge = defineJob({
  name: 'cards.charge',
  handle: () => {
    throw new CardDeclined('card 42 was declined', { cause: new TypeError('no such card') });
  },
});
export const report = defineJob({
  name: 'reports.nightly',
  handle: () => {
    throw new Unrecoverable('nothing to report');
  },
});
export const ping = defineJob({ name: 'ping', handle: async (job) => ({ pong: job.properties }) });

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Scene {
  readonly redrive: Redrive;
  readonly http: RedriveHttp;
  readonly filename: string;
  readonly logger: RecordingLogger;
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>;
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly post: (path: string, body?: unknown) => Promise<Answer>;
  readonly delete: (path: string) => Promise<Answer>;
  /** Dispatches jobs of one kind, works all that is ready, and returns their ids. */
  readonly failed: (
    job: typeof charge,
    count?: number,
    properties?: JsonObject,
    options?: { queue?: string },
  ) => Promise<readonly string[]>;
  /** Works what is ready until nothing is. */
  readonly work: () => Promise<void>;
}

export interface SceneOptions extends SqliteRedriveOptions {
  readonly http?: RedriveHttpOptions;
  readonly filename?: string;
}

/** A Redrive on a SQLite file of its own, its tables made, with the HTTP interface on it, asked without a socket. */
export async function setup(options: SceneOptions = {}): Promise<Scene> {
  const filename = options.filename ?? join(temporaryFolder(), 'app.db');
  const logger = options.logger ?? new RecordingLogger();
  const config = { workerPools: { pool: { connection: 'main', queues: '*' } }, ...options.config };
  const redrive = await sqliteRedrive(filename, { jobs: [charge, report, ping], ...options, config, logger });
  if (options.access !== 'look') await redrive.migrate();
  const http = redriveHttp(redrive, { logger, ...options.http });
  const call: Scene['call'] = async (method, path, { body, headers } = {}) =>
    answerOf(await http.fetch(requestOf(method, path, body, headers)));
  const work = async (): Promise<void> => {
    while (await redrive.workOnce()) {
      // Until nothing is ready.
    }
  };
  return {
    redrive,
    http,
    filename,
    logger,
    call,
    work,
    get: (path, headers) => call('GET', path, headers === undefined ? {} : { headers }),
    post: (path, body) => call('POST', path, body === undefined ? {} : { body }),
    delete: (path) => call('DELETE', path),
    async failed(job, count = 1, properties = {}, given = {}) {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) ids.push(await redrive.dispatch(job, properties, given));
      await work();
      return ids;
    },
  };
}

export function requestOf(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Request {
  const isText = typeof body === 'string';
  // Put together as a client does: a path of two slashes is no host.
  return new Request(new URL(`http://localhost${path}`), {
    method,
    headers: { ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = text !== '' && response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
