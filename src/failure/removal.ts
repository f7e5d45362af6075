import type { AuditNote } from '../record/audit-log.ts';
import type { FailedJobRef, ForgetRecords } from '../record/failure-log.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import { audited } from './audit.ts';
import { auditOf, type ByHandContext } from './by-hand.ts';
import type { ForgetOutcome } from './failed-job.ts';

/** Failed jobs removed by one transaction: brief enough not to hold up the queue. */
const chunkSize = 200;

type Status = ForgetOutcome['status'];

/** Removes failed jobs for good, with their attempts and their own rows, some at a time. One that is being retried stays. */
export class Removal {
  /** Jobs really removed so far, each by this very removal. */
  removed = 0;

  constructor(
    private readonly context: ByHandContext,
    /** Its parts, one a transaction, are one entry of the audit. */
    private readonly note: AuditNote,
    private readonly onProgress: ((removed: number) => void) | undefined,
  ) {}

  /** What became of each, by number. */
  async remove(refs: readonly FailedJobRef[]): Promise<ReadonlyMap<number, Status>> {
    const statuses = new Map<number, Status>();
    const byConnection = new Map<string, FailedJobRef[]>();
    for (const ref of refs) {
      if (ref.status === 'retrying') statuses.set(ref.id, 'retrying');
      else byConnection.set(ref.connection, [...(byConnection.get(ref.connection) ?? []), ref]);
    }
    for (const [connection, group] of byConnection) {
      const provider = await this.context.provider(connection);
      for (let from = 0; from < group.length; from += chunkSize) {
        const chunk = group.slice(from, from + chunkSize);
        for (const [id, status] of await this.removeChunk(chunk, provider)) statuses.set(id, status);
      }
    }
    return statuses;
  }

  private async removeChunk(refs: readonly FailedJobRef[], provider: QueueProvider | undefined): Promise<ReadonlyMap<number, Status>> {
    // A job whose connection is not in this config has its row there still; what is on record of it goes.
    const withJob = provider === undefined ? [] : refs.filter(({ jobId }) => jobId !== null);
    // What cbq wrote has none, unless a retry has claimed it since it was looked at.
    const unclaimed = refs.filter(({ jobId }) => jobId === null);
    const others = refs.filter((ref) => !withJob.includes(ref) && !unclaimed.includes(ref));
    const gone = new Set([
      ...(await this.removeJobs(withJob, provider)),
      ...(await this.removeRecords(others)),
      ...(await this.removeRecords(unclaimed, { unclaimed: true })),
    ]);
    this.removed += gone.size;
    this.tell();
    const left = refs.filter(({ id }) => !gone.has(id));
    const there = await this.stillThere(left);
    return new Map(refs.map(({ id }) => [id, gone.has(id) ? 'removed' : there.has(id) ? 'retrying' : 'not_found']));
  }

  /** Jobs and what is on record of them: in one transaction where both are in one database. Returns the numbers of those removed. */
  private async removeJobs(refs: readonly FailedJobRef[], provider: QueueProvider | undefined): Promise<readonly number[]> {
    if (provider === undefined || refs.length === 0) return [];
    const byJob = new Map(refs.map((ref) => [ref.jobId ?? '', ref]));
    const numbersOf = (jobIds: readonly string[]): readonly number[] => jobIds.flatMap((jobId) => byJob.get(jobId)?.id ?? []);
    const isTogether = await provider.keepsFailedJobs();
    return audited(auditOf(this.context, provider), {
      note: this.note,
      run: async (note) => {
        const numbers = numbersOf(await provider.forget([...byJob.keys()], note));
        return isTogether ? numbers : this.removeTheirRecords(numbers);
      },
      done: (numbers) => refs.filter(({ id }) => numbers.includes(id)).map(({ jobId, id }) => jobId ?? id),
    });
  }

  /**
   * Where the log is elsewhere the record goes last: should the process die before, the failed job is still listed, and can be removed
   * again a while later. Whose job went by us is ours to count, also where a worker that told of its failure took the record back.
   */
  private async removeTheirRecords(numbers: readonly number[]): Promise<readonly number[]> {
    const { log } = this.context;
    const removed = new Set(await log.forget(numbers, { retrying: true }));
    const others = numbers.filter((number) => !removed.has(number));
    if (others.length === 0) return numbers;
    const { refs } = await log.pick({ ids: others, status: 'any' }, { order: 'oldest' });
    const left = new Set(refs.map(({ id }) => id));
    return numbers.filter((number) => !left.has(number));
  }

  private async removeRecords(refs: readonly FailedJobRef[], which?: ForgetRecords): Promise<readonly number[]> {
    if (refs.length === 0) return [];
    return audited(auditOf(this.context, undefined), {
      note: this.note,
      run: () =>
        this.context.log.forget(
          refs.map(({ id }) => id),
          which,
        ),
      done: (numbers) => refs.filter(({ id }) => numbers.includes(id)).map(({ jobId, id }) => jobId ?? id),
    });
  }

  /** One that was put back in the meantime is there; one that somebody else removed is not. */
  private async stillThere(refs: readonly FailedJobRef[]): Promise<ReadonlySet<number>> {
    if (refs.length === 0) return new Set();
    const { refs: found } = await this.context.log.pick({ ids: refs.map(({ id }) => id), status: 'any' }, { order: 'oldest' });
    return new Set(found.map(({ id }) => id));
  }

  private tell(): void {
    try {
      this.onProgress?.(this.removed);
    } catch (error) {
      this.context.logger.warn({ err: error }, 'onProgress failed; what is removed is not affected');
    }
  }
}
