// What the examples of mounting have in common: a shop whose invoices need a printer, and the printer is out of paper.
import { createRedrive, defineJob, type Redrive } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';

export interface Shop {
  readonly redrive: Redrive;
  /** Puts paper in. */
  fill(): void;
}

/** A shop at work, with one failed job: invoice 1001 was not printed. */
export async function openShop(): Promise<Shop> {
  let paper = 0;
  const printInvoice = defineJob({
    name: 'invoices.print',
    handle: async (job) => {
      if (paper === 0) throw new Error('the printer is out of paper');
      return `invoice ${JSON.stringify(job.properties['invoice'])} is printed`;
    },
  });
  const redrive = await createRedrive({
    connections: {
      default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } },
    },
    workerPools: { printing: { connection: 'default' } },
    jobs: [printInvoice],
    logFailedJobs: true,
    logAttempts: false,
  });
  await redrive.start();
  await redrive.dispatch(printInvoice, { invoice: 1001 });
  await redrive.idle();
  return { redrive, fill: () => void (paper = 100) };
}
