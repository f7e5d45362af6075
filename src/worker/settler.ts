import { setImmediate } from 'node:timers';
import { sleep } from '../clock.ts';
import { isRedriveError, RedriveError } from '../errors.ts';
import type { PullProvider, Session, Settlement, SettleReceipt } from '../provider/pull-provider.ts';
import type { WorkerContext } from './worker-context.ts';

interface Waiting {
  readonly settlement: Settlement;
  readonly resolve: (receipt: SettleReceipt) => void;
  readonly reject: (error: unknown) => void;
}

const largestBatch = 500;
const firstPauseMs = 50;
const longestPauseMs = 5_000;

/**
 * Writes settlements many at a time: all that arrive in one turn of the event loop share a transaction.
 * A flush that fails is tried again until it holds or the session is dead; nothing is ever dropped.
 */
export class Settler {
  private readonly waiting: Waiting[] = [];
  private readonly announced: string[] = [];
  private flushing: Promise<void> | undefined;
  /** Why what waits cannot be written at present. */
  trouble: string | undefined;

  constructor(
    private readonly provider: PullProvider,
    private readonly session: Session,
    private readonly context: Pick<WorkerContext, 'clock' | 'logger'>,
    /** Aborts when the pool stops waiting for the store. */
    private readonly giveUp: AbortSignal,
    /** Called with announcements that are gone from the store. */
    private readonly onForgotten: (eventIds: readonly string[]) => void,
  ) {}

  /** Resolves once the settlement is in the store. Rejects with `LEASE_LOST` when the session died first, with `STOPPED` when the pool gave up. */
  settle(settlement: Settlement): Promise<SettleReceipt> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ settlement, resolve, reject });
      this.flush();
    });
  }

  /** Forgets an announcement that was delivered, with the next flush. */
  forget(eventId: string): void {
    this.announced.push(eventId);
    this.flush();
  }

  /** Resolves when nothing is left to write. */
  async drained(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
  }

  private flush(): void {
    if (this.flushing !== undefined) return;
    this.flushing = this.flushAll().finally(() => (this.flushing = undefined));
  }

  private async flushAll(): Promise<void> {
    while (true) {
      // One turn of the loop, so that jobs which ended together are settled together.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (this.waiting.length === 0 && this.announced.length === 0) return;
      const batch = this.waiting.splice(0, largestBatch);
      const announced = this.announced.splice(0);
      await this.write(batch, announced);
    }
  }

  private async write(batch: readonly Waiting[], announced: readonly string[]): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const receipt = await this.provider.settle(this.session, { settlements: batch.map((one) => one.settlement), announced });
        this.trouble = undefined;
        for (const one of batch) one.resolve(receipt);
        this.onForgotten(announced);
        return;
      } catch (error) {
        if (isRedriveError(error, 'LEASE_LOST')) return batch.forEach((one) => one.reject(error));
        if (!isPassing(error) && batch.length > 1) return this.writeApart(batch, announced);
        if (this.giveUp.aborted) return this.abandon(batch, error);
        this.trouble = error instanceof Error ? error.message : String(error);
        this.context.logger.error({ err: error, jobs: batch.length }, 'Outcomes could not be written; trying again');
        if (!isPassing(error) && pauseMs > firstPauseMs && batch[0]?.settlement.record !== undefined) batch = batch.map(plainly);
        await sleep(this.context.clock, pauseMs * (0.5 + Math.random() / 2), this.giveUp);
      }
    }
  }

  /** The pool has stopped: the store says that the jobs are still leased, and whoever finds the lease ended rescues them. */
  private abandon(batch: readonly Waiting[], error: unknown): void {
    this.context.logger.error(
      { err: error, jobs: batch.length },
      'Outcomes could not be written before the worker stopped; the jobs are rescued when their lease ends',
    );
    const stopped = new RedriveError('STOPPED', 'The worker stopped before the outcome could be written', { cause: error });
    for (const one of batch) one.reject(stopped);
  }

  /** One outcome the store refuses must not hold up its neighbours. */
  private async writeApart(batch: readonly Waiting[], announced: readonly string[]): Promise<void> {
    await this.write(batch.slice(0, 1), announced);
    for (const one of batch.slice(1)) await this.write([one], []);
  }
}

/** True where it is the store that fails, and not what is written: it passes, if only by somebody's hand, and the very same batch is tried again. */
function isPassing(error: unknown): boolean {
  return error instanceof RedriveError && error.code.startsWith('STORE_');
}

const refusedWhole = ' [the store refused the full record]';

/**
 * The same outcome with a record of nothing but its message, for a store that refuses the whole one; for one that refuses that
 * as well, without the memento, which the job's own row keeps.
 */
function plainly(one: Waiting): Waiting {
  const { settlement } = one;
  const { record } = settlement;
  if (record === undefined) return one;
  if (record.message.endsWith(refusedWhole)) return { ...one, settlement: { ...settlement, record: { ...record, memento: '' } } };
  const message = `${record.message.slice(0, 1_000)}${refusedWhole}`;
  const exception = { type: record.type, message, stack: '', truncated: true as const };
  const plain = { ...record, message, exception, stack: '', detail: null, extendedInfo: null, properties: null };
  return { ...one, settlement: { ...settlement, record: plain } };
}
