import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, type BulkRetry, type Redrive } from '../../src/index.ts';
import type { BulkLease } from '../../src/record/bulk-retry-log.ts';
import type { FailureLog } from '../../src/record/failure-log.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { Child } from '../support/child.ts';
import { Command, databaseFlag } from '../support/command.ts';
import type { Ground } from '../support/engines.ts';
import { bySize } from '../support/size.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { OperatorOrders, OperatorSaid, Order, Plan } from './operator.ts';

/** A bulk retry of thousands takes its time, on a machine that does other things as well. */
const patienceMs = bySize(60_000, 60_000, 900_000);

/** Many failed jobs, and processes that retry and run them. */
export class BulkScene {
  private readonly journal = join(temporaryFolder(), 'journal');

  private constructor(
    private readonly ground: Pick<Ground, 'properties' | 'rows'>,
    readonly redrive: Redrive,
  ) {}

  static async open(ground: Pick<Ground, 'properties' | 'rows'>): Promise<BulkScene> {
    const redrive = await createRedrive(
      { connections: { main: { provider: DatabaseProvider, properties: ground.properties } }, logFailedJobs: true },
      { logger: new RecordingLogger() },
    );
    onTestFinished(() => redrive.stop());
    await redrive.migrate();
    return new BulkScene(ground, redrive);
  }

  /** Failed jobs of a queue: by hand where they are few, else each by one run, in a process that is gone by then. */
  async failedJobs(plans: readonly Plan[], queue = 'default'): Promise<readonly string[]> {
    const areFew = plans.length <= 500;
    const options = areFew ? { queue, delay: '1d' } : { queue };
    const ids: string[] = [];
    for (let from = 0; from < plans.length; from += 1_000) {
      const some = plans.slice(from, from + 1_000).map((properties) => ({ job: 'planned', properties, options }));
      ids.push(...(await this.redrive.dispatchMany(some)));
    }
    if (areFew) await this.redrive.failedJobs.markFailed(ids, { by: 'nobody' });
    else {
      const worker = await this.worker();
      await this.rest();
      await this.until('all to be told', async () => (await this.count('redrive_announcements')) === 0);
      await worker.kill();
    }
    return ids;
  }

  /** A process that runs jobs, once it does. */
  async worker(): Promise<Child<OperatorSaid>> {
    const { journal, ground } = this;
    const worker = new Child<OperatorSaid>(new URL('operator.ts', import.meta.url), {
      properties: ground.properties,
      journal,
      quantity: 20,
    } satisfies OperatorOrders);
    worker.send({ work: true } satisfies Order);
    await worker.says('it works', ({ said }) => said === 'working');
    return worker;
  }

  /** The `redrive` command on this database, or on the one that the properties lead to. */
  command(argv: readonly string[], properties: Ground['properties'] = this.ground.properties): Command {
    return new Command(...argv, '--database', databaseFlag(properties));
  }

  /** Resolves once a bulk retry has moved as many. */
  async moved(bulkRetry: number, count: number): Promise<void> {
    await this.until(`${count} moved`, async () => (await this.movedBy(bulkRetry)) >= count);
  }

  movedBy(bulkRetry: number): Promise<number> {
    return this.count(`redrive_bulk_jobs WHERE bulk_retry = ${bulkRetry} AND state = 'moved'`);
  }

  /** Ends the lease of a driver that is dead, as time would. */
  async expire(bulkRetry: number): Promise<void> {
    const [lease] = await this.ground.rows<BulkLease>(`SELECT id, fence FROM redrive_bulk_retries WHERE id = ${bulkRetry}`);
    const { connections } = (this.redrive as unknown as { works: { connections: { failureLog(): Promise<FailureLog> } } }).works;
    await (await connections.failureLog()).bulkRetries.letGo(lease!);
  }

  async bulkRetry(id: number): Promise<BulkRetry> {
    return (await this.redrive.failedJobs.findBulkRetry(id))!;
  }

  /** Waits for the end of a bulk retry, in whatever process. */
  async over(id: number): Promise<BulkRetry> {
    await this.until(`the end of bulk retry ${id}`, async () => (await this.bulkRetry(id)).state !== 'running');
    return this.bulkRetry(id);
  }

  /** Waits until nothing is to be run any more. */
  async rest(): Promise<void> {
    await this.until(
      'all to have run',
      async () => (await this.count(`redrive_jobs WHERE status IN ('ready', 'waiting', 'reserved')`)) === 0,
    );
  }

  /** The runs that each job began after it was retried, in order. */
  runs(): ReadonlyMap<string, readonly number[]> {
    const runs = new Map<string, number[]>();
    if (!existsSync(this.journal)) return runs;
    for (const line of readFileSync(this.journal, 'utf8').trimEnd().split('\n')) {
      const { id, run } = JSON.parse(line) as { id: string; run: number };
      if (run > 1) runs.set(id, [...(runs.get(id) ?? []), run]);
    }
    return runs;
  }

  /** Who did what to how many, oldest first. */
  async audit(): Promise<readonly string[]> {
    const { items } = await this.redrive.audit({ limit: 200 });
    const said = items.filter(({ by }) => by !== 'nobody');
    return said.toReversed().map(({ by, action, count }) => `${by} ${action} ${count}`);
  }

  /** How many rows there are. */
  async count(from: string): Promise<number> {
    return (await this.ground.rows<{ n: number }>(`SELECT count(*) AS n FROM ${from}`))[0]?.n ?? -1;
  }

  private async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const started = performance.now();
    while (!(await holds())) {
      if (performance.now() - started > patienceMs) expect.fail(`in vain waited for: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }
}
