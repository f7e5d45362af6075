import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, type LogFailedJobsProperties, type Redrive } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { Child } from '../support/child.ts';
import type { Ground } from '../support/engines.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { Act, OperatorOrders, OperatorSaid, Order, Plan, Told } from './operator.ts';

/** Where jobs and their failed-jobs log are. */
export interface Place {
  readonly ground: Pick<Ground, 'properties' | 'rows'>;
  /** The log's, where it is another database. */
  readonly log?: { readonly datasource: LogFailedJobsProperties['datasource']; readonly rows: Ground['rows'] };
}

/** What is left of one job, in every table. */
export interface Remains {
  readonly job: { readonly status: string; readonly run: number } | undefined;
  readonly failed: readonly { readonly status: string; readonly run: number }[];
  /** Runs of the attempts on record. */
  readonly attempts: readonly number[];
  /** Runs that were begun. */
  readonly ran: readonly number[];
}

/** Two processes that do things to the same failed jobs at the same time. */
export class Arena {
  private round = 0;
  private readonly journal = join(temporaryFolder(), 'journal');
  private readonly operators: readonly [Child<OperatorSaid>, Child<OperatorSaid>];

  private constructor(
    private readonly place: Place,
    readonly redrive: Redrive,
  ) {
    const orders: OperatorOrders = {
      properties: place.ground.properties,
      journal: this.journal,
      ...(place.log === undefined ? {} : { log: place.log.datasource }),
    };
    const operator = (): Child<OperatorSaid> => new Child<OperatorSaid>(new URL('operator.ts', import.meta.url), orders);
    this.operators = [operator(), operator()];
  }

  static async open(place: Place): Promise<Arena> {
    const { ground, log } = place;
    const redrive = await createRedrive(
      {
        connections: { main: { provider: DatabaseProvider, properties: ground.properties } },
        logFailedJobs: true,
        ...(log === undefined ? {} : { logFailedJobsProperties: { datasource: log.datasource } }),
      },
      { logger: new RecordingLogger() },
    );
    onTestFinished(() => redrive.stop());
    await redrive.migrate();
    const arena = new Arena(place, redrive);
    for (const operator of arena.operators) await operator.says('it is ready', ({ said }) => said === 'ready');
    return arena;
  }

  /** Whether jobs and log are in two databases, so that a resolution by hand is in one transaction with nothing. */
  get isApart(): boolean {
    return this.place.log !== undefined;
  }

  /** Failed jobs, in order. Nobody ran them: a person failed them by hand before they were due. */
  async failedJobs(plans: readonly Plan[], queue = 'default'): Promise<readonly string[]> {
    const ids = await this.redrive.dispatchMany(
      plans.map((properties) => ({ job: 'planned', properties, options: { queue, delay: '1d' } })),
    );
    const marked = await Promise.all(ids.map((id) => this.redrive.failedJobs.markFailed(id)));
    expect(marked.flatMap(({ moved }) => moved)).toEqual(ids);
    return ids;
  }

  /** Both begin at once; what each was told, act by act. */
  async race(
    one: readonly (Act & { readonly afterMs: number })[],
    other: readonly (Act & { readonly afterMs: number })[],
  ): Promise<readonly (readonly Told[])[]> {
    const round = ++this.round;
    for (const [index, operator] of this.operators.entries()) operator.send({ round, acts: index === 0 ? one : other } satisfies Order);
    return Promise.all(
      this.operators.map(async (operator) => {
        const isAnswer = (message: OperatorSaid): boolean => message.said === 'done' && message.round === round;
        const answer = await operator.says(`round ${round} is over`, isAnswer);
        operator.messages.length = 0;
        return answer.said === 'done' ? answer.told : [];
      }),
    );
  }

  /** From now on the first of them runs jobs. */
  async work(): Promise<void> {
    const [worker] = this.operators;
    worker.send({ work: true } satisfies Order);
    await worker.says('it works', ({ said }) => said === 'working');
  }

  /** Waits until nothing is to be run or told any more. */
  async rest(): Promise<void> {
    const open = `SELECT (SELECT count(*) FROM redrive_jobs WHERE status IN ('ready', 'waiting', 'reserved')) + (SELECT count(*) FROM redrive_announcements) AS n`;
    let [left, since] = [Number.POSITIVE_INFINITY, performance.now()];
    for (;;) {
      const now = (await this.place.ground.rows<{ n: number }>(open))[0]?.n ?? -1;
      if (now === 0) return;
      if (now < left) [left, since] = [now, performance.now()];
      if (performance.now() - since > 30_000) expect.fail(`in vain waited for the end of ${JSON.stringify(await this.underWay())}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async underWay(): Promise<unknown> {
    const { rows } = this.place.ground;
    const jobs = `SELECT uuid, status, run, queue, session FROM redrive_jobs WHERE status IN ('ready', 'waiting', 'reserved') ORDER BY id LIMIT 20`;
    const untold = 'SELECT kind, job_id, run, session FROM redrive_announcements ORDER BY id LIMIT 20';
    return { jobs: await rows(jobs), untold: await rows(untold) };
  }

  /** What is left of each job. */
  async remains(ids: readonly string[]): Promise<(id: string) => Remains> {
    const { ground } = this.place;
    const { rows } = this.place.log ?? ground;
    // A row without a name keeps the place of a forgotten job for a minute, where the log is elsewhere.
    const jobs = await ground.rows<{ uuid: string; status: string; run: number }>(
      "SELECT uuid, status, run FROM redrive_jobs WHERE mapping <> ''",
    );
    const attempts = await ground.rows<{ job_id: string; run: number }>('SELECT job_id, run FROM redrive_attempts ORDER BY id');
    const failed = await rows<{ job_id: string; status: string; run: number }>('SELECT job_id, status, run FROM cbq_failed_jobs');
    const ran = existsSync(this.journal)
      ? readFileSync(this.journal, 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { id: string; run: number })
      : [];
    const all = new Map<string, Writable>(ids.map((id) => [id, { job: undefined, failed: [], attempts: [], ran: [] }]));
    for (const { uuid, status, run } of jobs) if (all.has(uuid)) all.get(uuid)!.job = { status, run };
    for (const { job_id: id, status, run } of failed) all.get(id)?.failed.push({ status, run });
    for (const { job_id: id, run } of attempts) all.get(id)?.attempts.push(run);
    for (const { id, run } of ran) all.get(id)?.ran.push(run);
    return (id) => all.get(id)!;
  }

  /** How many jobs the audit tells of, by action. */
  async audited(): Promise<ReadonlyMap<string, number>> {
    const { rows } = this.place.log ?? this.place.ground;
    const counts = await rows<{ action: string; n: number }>('SELECT action, sum(amount) AS n FROM redrive_audit GROUP BY action');
    return new Map(counts.map(({ action, n }) => [action, n]));
  }
}

interface Writable {
  job: Remains['job'];
  failed: { status: string; run: number }[];
  attempts: number[];
  ran: number[];
}
