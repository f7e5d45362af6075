import type { FailedJobFilter, FailedJobs } from '../../src/index.ts';
import { hourMs, newestAt } from './contents.ts';

/** What is asked of the failed jobs, and how long that may take. */
export interface Question {
  readonly what: string;
  readonly mayTakeMs: number;
  /** Asks, and says what was found. */
  readonly ask: (failedJobs: FailedJobs) => Promise<string>;
}

const ago = (hours: number): Date => new Date(newestAt - hours * hourMs);

/** By one filter, in the words of the table that is printed. */
const filters: Readonly<Record<string, FailedJobFilter>> = {
  'no filter': {},
  'a queue': { queue: 'mail' },
  'a small queue': { queue: 'reports' },
  'a connection': { connection: 'audit' },
  'a job': { job: 'shop.job-7' },
  'a type': { type: 'MailboxFull' },
  'a kind': { kind: 'lost' },
  'a kind that is not there': { kind: 'cancelled' },
  'a large group': { fingerprint: 'f000000000000000' },
  'a small group': { fingerprint: 'f000000000000120' },
  'a release': { release: 'v7' },
  'since, a day': { since: ago(24) },
  'until, the oldest day': { until: ago(13 * 24) },
  'a status': { status: 'resolved' },
  'any status': { status: 'any' },
  ids: { ids: Array.from({ length: 200 }, (_, index) => index * 4_000 + 2) },
};

export async function questions(failedJobs: FailedJobs): Promise<readonly Question[]> {
  const all = await failedJobs.count({ status: 'any' });
  const counts: Question[] = [];
  for (const [name, filter] of Object.entries(filters)) {
    const isNarrow = (await failedJobs.count(filter)) <= all / 10;
    counts.push({
      what: `count: ${name}`,
      mayTakeMs: isNarrow ? 50 : 300,
      ask: async (log) => (await log.count(filter)).toLocaleString('en'),
    });
  }
  return [...lists(), await deepPage(failedJobs), ...counts, ...figures(), ...searches()];
}

function lists(): readonly Question[] {
  return Object.entries(filters).map(([name, filter]) => list(name, filter, 50));
}

function list(name: string, filter: FailedJobFilter, mayTakeMs: number): Question {
  return {
    what: `list: ${name}`,
    mayTakeMs,
    async ask(log) {
      const { items, partial } = await log.list(filter);
      return `${items.length}${partial === true ? ', partial' : ''}`;
    },
  };
}

/** The page that begins in the middle of a list. */
async function deepPage(failedJobs: FailedJobs): Promise<Question> {
  const filter = { queue: 'mail' };
  const middle = await failedJobs.list({ ...filter, until: ago(7 * 24) }, { limit: 1 });
  const at = middle.items[0];
  const { cursor } = await failedJobs.list(filter, { limit: 1 });
  // The same cursor, at another place: a program that pages on would take minutes to get there.
  const [, key] = String(cursor).split('.');
  const deep = `${at?.failedAt.getTime().toString(36)}-${at?.id.toString(36)}.${key}`;
  return {
    what: 'list: a queue, from its middle on',
    mayTakeMs: 50,
    ask: async (log) => `${(await log.list(filter, { cursor: deep })).items.length}`,
  };
}

function figures(): readonly Question[] {
  const sized = (rows: readonly unknown[] & { readonly partial?: true }): string =>
    `${rows.length}${rows.partial === true ? ', partial' : ''}`;
  return [
    { what: 'groups', mayTakeMs: 1_000, ask: async (log) => sized(await log.groups()) },
    { what: 'groups of a queue', mayTakeMs: 1_000, ask: async (log) => sized(await log.groups({ queue: 'mail' })) },
    { what: 'groups of a day', mayTakeMs: 1_000, ask: async (log) => sized(await log.groups({ since: ago(24) })) },
    { what: 'groups of a release', mayTakeMs: 1_000, ask: async (log) => sized(await log.groups({ release: 'v7' })) },
    { what: 'by type', mayTakeMs: 1_000, ask: async (log) => sized(await log.byType()) },
    { what: 'by hour, a day', mayTakeMs: 1_000, ask: async (log) => sized(await log.byHour()) },
    { what: 'by hour, two weeks', mayTakeMs: 1_000, ask: async (log) => sized(await log.byHour({ since: ago(14 * 24) })) },
    { what: 'by hour, a day of a queue', mayTakeMs: 1_000, ask: async (log) => sized(await log.byHour({ queue: 'mail' })) },
    { what: 'summary', mayTakeMs: 1_000, ask: async (log) => sized(await log.summary()) },
  ];
}

function searches(): readonly Question[] {
  return [
    list('a queue, a kind, a day', { queue: 'mail', kind: 'timeout', since: ago(24) }, 1_000),
    list('a job of a release', { job: 'shop.job-7', release: 'v7' }, 1_000),
    list('a text of every row', { text: 'was refused' }, 1_000),
    list('a text of one new row', { text: 'customer-77777"', since: ago(12) }, 1_000),
    list('a text of no row', { text: 'nowhere to be found' }, 1_000),
    list('a text of no row of a small group', { text: 'nowhere to be found', fingerprint: 'f000000000000120' }, 1_000),
  ];
}
