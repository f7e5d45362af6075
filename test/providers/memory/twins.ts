import { isRedriveError } from '../../../src/errors.ts';
import type { ReservedJob, SettleBatch, Transition } from '../../../src/provider/pull-provider.ts';
import type { UniqueKey } from '../../../src/provider/queue-provider.ts';
import type { FailureRecord } from '../../../src/record/types.ts';
import { failureRecord } from './records.ts';
import { makeTwins, type LogPlace, type MadeTwins, type Twin } from './twin.ts';

const queues = ['a', 'b', 'c'];

/** Two answers to the same call, in the form in which they are compared. */
export type Answers = readonly [inDatabase: unknown, inMemory: unknown];

/** The same calls made to jobs in a database and to jobs in memory, so that what both answer can be compared. */
export class Twins {
  private ids = 0;
  private readonly stored: string[] = ['nobody'];
  private readonly uniqueOf = new Map<string, UniqueKey>();

  private constructor(
    private readonly made: MadeTwins,
    private readonly place: LogPlace,
  ) {}

  static async make(place: LogPlace): Promise<Twins> {
    return new Twins(await makeTwins(place), place);
  }

  close(): Promise<void> {
    return this.made.close();
  }

  /** Makes one call to both; an error counts by its code. Returns the two answers, comparable. */
  private async both<T>(call: (twin: Twin) => Promise<T>, seen: (answer: T) => unknown = (answer) => answer): Promise<Answers> {
    const answer = async (twin: Twin): Promise<unknown> => {
      try {
        return plain(seen(await call(twin)));
      } catch (error) {
        if (isRedriveError(error)) return { code: error.code };
        throw error;
      }
    };
    const answers = [await answer(this.made.database), await answer(this.made.memory)] as const;
    // Memory removes what is past its time at every settlement as well; here both do at every call.
    for (const twin of [this.made.database, this.made.memory]) await twin.provider.maintain();
    return answers;
  }

  push(
    queue: number,
    jobs: readonly { readonly priority: number; readonly delayMs: number; readonly unique?: UniqueKey | undefined }[],
  ): Promise<Answers> {
    const envelopes = jobs.map(({ unique, ...rest }) => {
      const id = `01890000-0000-7000-8000-${String(++this.ids).padStart(12, '0')}`;
      this.stored.push(id);
      if (unique !== undefined) this.uniqueOf.set(id, unique);
      return { id, name: `job-${this.ids % 2}`, memento: `{"id":"${id}"}`, ...rest, ...(unique === undefined ? {} : { unique }) };
    });
    return this.both(({ provider }) => provider.push(queues[queue] ?? 'a', envelopes, {}));
  }

  openSession(pool: string): Promise<Answers> {
    return this.both(
      async ({ provider, sessions }) => sessions.push(await provider.openSession({ pool, host: 'host', pid: 7, policies: '{}' })),
      (length) => length,
    );
  }

  /** Reserving finds jobs of queues; the numbers of leases may have gaps, so that they are not compared. */
  async reserve(session: number, from: readonly number[], counts: { readonly limit: number; readonly startNow: number }): Promise<Answers> {
    if (!this.isAlive(session)) return [0, 0];
    const named = from.length === 0 ? ['*'] : from.map((queue) => queues[queue] ?? 'a');
    return this.both(
      async ({ provider, sessions, reserved }) => {
        const own = sessions[session];
        if (own === undefined) return undefined;
        const answer = await provider.reserve(own, { queues: named, ...counts });
        reserved.push(...answer.jobs.map((job) => ({ session, job })));
        return answer;
      },
      (answer) => answer && { ...answer, jobs: answer.jobs.map(withoutSeq) },
    );
  }

  start(session: number, reservation: number): Promise<Answers> {
    return this.both(async ({ provider, sessions, reserved }) => {
      const own = sessions[session];
      const last = reserved[reservation % Math.max(reserved.length, 1)];
      if (own !== undefined && last?.session === session) await provider.start(own, last.job.lease.seq);
    });
  }

  /** Starts everything the session has reserved so far. */
  startLast(session: number): Promise<Answers> {
    return this.both(async ({ provider, sessions, reserved }) => {
      const own = sessions[session];
      const last = reserved.findLast((one) => one.session === session);
      if (own !== undefined && last !== undefined) await provider.start(own, last.job.lease.seq);
    });
  }

  cancelLast(): Promise<Answers> {
    return this.both(({ provider, reserved }) => provider.cancel(reserved.at(-1)?.job.id ?? 'nobody', 'too late'));
  }

  settleLast(session: number, to: Transition['to']): Promise<Answers> {
    return this.settle(session, [this.made.memory.reserved.length - 1], to, 0);
  }

  get sessionCount(): number {
    return this.made.memory.sessions.length;
  }

  settle(session: number, reservations: readonly number[], to: Transition['to'], waitMs: number): Promise<Answers> {
    return this.both(async ({ provider, sessions, reserved }) => {
      const own = sessions[session];
      if (own === undefined) return undefined;
      const indices = new Set(reservations.map((reservation) => reservation % Math.max(reserved.length, 1)));
      const jobs = [...indices].flatMap((index) => reserved[index]?.job ?? []);
      const receipt = await provider.settle(own, { settlements: jobs.map((job) => this.settlement(job, to, waitMs)), announced: [] });
      // Of a job that is gone memory does not know any more who was the first.
      const known = await Promise.all(jobs.map(async ({ id }) => ((await provider.find(id)) === undefined ? [] : [id])));
      const resolved = receipt.resolved.map(({ jobId, run, at }) => ({ jobId, run, at }));
      return { late: known.flat().filter((id) => receipt.late.has(id)), resolved, failed: Object.fromEntries(receipt.failedJobIds) };
    });
  }

  renew(session: number, forgets: number): Promise<Answers> {
    return this.both(async ({ provider, sessions, reserved }) => {
      const own = sessions[session];
      if (own === undefined) return undefined;
      const seqs = reserved.filter((one) => one.session === session).map(({ job }) => job.lease.seq);
      const held = seqs.filter((_, index) => forgets === 0 || index % forgets !== 0);
      const cancels = await provider.renew(own, { seqs: new Set(held), through: seqs.at(-1) ?? 0 });
      return Object.fromEntries(
        cancels.map(({ seq, reason }) => [
          reserved.find(({ job }) => job.lease.seq === seq && job.lease.session === own.id)?.job.id,
          reason,
        ]),
      );
    });
  }

  /** Rescues, and settles what was lost. */
  async rescue(session: number, to: 'failed' | 'retry'): Promise<Answers> {
    if (!this.isAlive(session)) return [0, 0];
    return this.both(
      async ({ provider, sessions }) => {
        const own = sessions[session];
        if (own === undefined) return undefined;
        const lost = await provider.rescue(own);
        await provider.settle(own, { settlements: lost.map(({ job }) => this.settlement(job, to, 0, 'lost')), announced: [] });
        return lost;
      },
      (lost) => lost?.map(({ job, ...rest }) => ({ ...rest, job: withoutSeq(job) })),
    );
  }

  /** Takes over what is untold, and tells it. */
  async adopt(session: number, names: readonly string[]): Promise<Answers> {
    if (!this.isAlive(session)) return [0, 0];
    return this.both(async ({ provider, sessions, log }) => {
      const own = sessions[session];
      if (own === undefined) return undefined;
      const adopted = await provider.adopt(own, names, new Set());
      await provider.settle(own, { settlements: [], announced: adopted.map(({ eventId }) => eventId) });
      const told: unknown[] = [];
      for (const one of adopted) {
        if (one.kind !== 'failed') told.push({ ...one, eventId: undefined });
        // A database that keeps the failed job beside tells of its last failure only; memory still knows the one before.
        else if (log === undefined || (await log.find(one.job.id))?.run === one.job.run)
          told.push({
            eventId: one.eventId,
            id: one.job.id,
            run: one.job.run,
            attempt: one.record.attempt ?? 0,
            message: one.record.message,
          });
      }
      return told;
    });
  }

  /** Of a job that the backend has forgotten only one that it never knew: the failed-jobs log knows no other. */
  async requeue(
    job: number,
    options: { readonly run: number; readonly queue: number; readonly delayMs: number; readonly edited: boolean },
  ): Promise<Answers> {
    const jobId = this.id(job);
    if (jobId !== 'nobody' && (await this.made.database.provider.find(jobId)) === undefined) return [0, 0];
    const { run, queue, delayMs, edited } = options;
    const unique = this.uniqueOf.get(jobId);
    const request = {
      jobId,
      run,
      queue: queues[queue] ?? 'a',
      name: 'job-0',
      delayMs,
      priority: 3,
      atFront: false,
      memento: '{"from":"log"}',
      note: `run ${run}`,
    };
    const editedMemento = edited ? { editedMemento: `{"edited":${run}}` } : {};
    return this.both(({ provider }) => provider.requeue([{ ...request, ...editedMemento, ...(unique === undefined ? {} : { unique }) }]));
  }

  cancel(job: number): Promise<Answers> {
    return this.both(({ provider }) => provider.cancel(this.id(job), 'not wanted'));
  }

  failQueued(jobs: readonly number[], run: number): Promise<Answers> {
    const records = [...new Set(jobs.map((job) => this.id(job)))].map((id) =>
      recordOf({
        jobId: id,
        name: 'job-1',
        queue: 'a',
        run,
        attempt: null,
        at: this.made.clock.now(),
        kind: 'manual',
        eventId: `manual-${++this.ids}`,
      }),
    );
    return this.both(({ provider }) => provider.failQueued(records));
  }

  forget(jobs: readonly number[]): Promise<Answers> {
    return this.both(({ provider }) => provider.forget([...new Set(jobs.map((job) => this.id(job)))]));
  }

  pause(queue: number): Promise<Answers> {
    return this.both(({ provider }) => provider.pause(queues[queue] ?? 'a', 'somebody'));
  }

  resume(queue: number): Promise<Answers> {
    return this.both(({ provider }) => provider.resume(queues[queue] ?? 'a'));
  }

  closeSession(session: number): Promise<Answers> {
    return this.both(async ({ provider, sessions }) => {
      const own = sessions[session];
      if (own !== undefined) await provider.closeSession(own);
    });
  }

  async advance(ms: number): Promise<Answers> {
    await this.made.clock.advance(ms / 1_000);
    return this.both(async () => undefined);
  }

  /** All that can be seen from outside. */
  look(): Promise<Answers> {
    return this.both(async ({ provider, log }) => {
      const jobs: unknown[] = [];
      for (const id of this.stored) {
        const found = await provider.find(id);
        // The attempts of a job that is gone, and never failed for good, go with it from memory.
        jobs.push(
          found === undefined ? undefined : { ...found, attempts: (await provider.attempts(id)).map((attempt) => ({ ...attempt })) },
        );
      }
      const stats = (await provider.stats()).filter(({ queue: _queue, oldestReadyAge: _age, paused: _paused, ...counts }) =>
        Object.values(counts).some((count) => count > 0),
      );
      const failed = (await log?.list({ status: 'any' }, { limit: 1_000, order: 'oldest' }))?.map(({ seq: _seq, id: _id, ...row }) => row);
      return {
        jobs,
        stats,
        failed,
        backlogs: await Promise.all([['*'], ['a'], ['b', 'c']].map((some) => provider.backlog(some))),
        untold: this.place === 'beside' ? 0 : await provider.untold(),
      };
    });
  }

  /** The database lets a dead session look, where there is nothing to see. */
  private isAlive(session: number): boolean {
    const own = this.made.memory.sessions[session];
    return own !== undefined && this.made.kept.sessions.isAlive(own.id);
  }

  private id(job: number): string {
    return this.stored[job % this.stored.length] ?? 'nobody';
  }

  private settlement(
    job: ReservedJob,
    to: Transition['to'],
    waitMs: number,
    kind: FailureRecord['kind'] = 'exception',
  ): SettleBatch['settlements'][number] {
    const now = this.made.clock.now();
    const { id: jobId, name, queue, run, attempt } = job;
    const eventId = `${jobId}-${run}-${attempt}-${to}`.slice(-36);
    const record = recordOf({ jobId, name, queue, run, attempt: to === 'returned' ? null : attempt, at: now, kind, eventId });
    switch (to) {
      case 'completed':
        return { job, transition: { to, result: `"${attempt}"` } };
      case 'retry':
        return { job, transition: { to, availableAt: now + waitMs }, record: { ...record, retryAt: now + waitMs } };
      case 'failed':
        return { job, transition: { to }, record };
      case 'returned':
        return { job, transition: { to } };
    }
  }
}

interface Facts {
  readonly jobId: string;
  readonly name: string;
  readonly queue: string;
  readonly run: number;
  readonly attempt: number | null;
  readonly at: number;
  readonly kind: FailureRecord['kind'];
  readonly eventId: string;
}

function recordOf({ name: job, at, ...facts }: Facts): FailureRecord {
  const message = `run ${facts.run}, attempt ${facts.attempt}`;
  const exception = { type: 'TypeError', message, stack: `TypeError: ${message}\n    at here`, fields: { id: facts.jobId } };
  const said = { message, exception, extendedInfo: { id: facts.jobId }, properties: { n: facts.run }, memento: `{"of":"${facts.jobId}"}` };
  return failureRecord({ ...facts, job, ...said, createdAt: at, startedAt: at, endedAt: at });
}

function withoutSeq({ lease, ...job }: ReservedJob): object {
  return { ...job, session: lease.session };
}

/** Undefined and missing are the same to those who read an answer. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
