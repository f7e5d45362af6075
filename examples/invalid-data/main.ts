// Data that is wrong stays wrong, however often a job is tried. Here it is stopped at three places, and none of them costs
// an attempt too many: the schema refuses it at dispatch; the schema refuses it before the job runs, where it was stored
// by somebody without the schema; and the job itself refuses what no schema can know. Only what may pass is tried again.
//
// Run it with: npx jiti examples/invalid-data/main.ts
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedrive, isRedriveError, Job, job, Unrecoverable, type RedriveConfig } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { z } from 'zod';

/** The app's own data, in which customer 3 has no address. */
const addresses = new Map([
  [1, 'ada@example.com'],
  [2, 'grace@example.com'],
  [4, 'edsger@example.com'],
]);
let mailServerIsBusy = true;

const invoice = z.object({ customer: z.int('no number').positive('not positive'), cents: z.int() });

@job('invoices.send', { schema: invoice, maxAttempts: 5, backoff: '50ms' })
class SendInvoice extends Job<z.output<typeof invoice>> {
  handle(): void {
    const { customer } = this.properties;
    const address = addresses.get(customer);
    if (address === undefined) throw new Unrecoverable(`customer ${customer} has no address`);
    if (customer === 4 && mailServerIsBusy) {
      mailServerIsBusy = false;
      throw new Error('the mail server is busy');
    }
    say(`  invoice for customer ${customer} sent to ${address} (attempt ${this.attempt})`);
  }
}

// Two programs with one database: the older one does not know the job's class, and so not its schema.
const folder = await mkdtemp(join(tmpdir(), 'invalid-data-'));
const properties = { client: 'better-sqlite3', connection: { filename: join(folder, 'shop.db') } };
const shared: RedriveConfig = {
  connections: { default: { provider: DatabaseProvider, properties } },
  logAttempts: false,
  logFailedJobs: true,
};
const oldShop = await createRedrive({ ...shared, registerWorkers: false });
const redrive = await createRedrive({ ...shared, workerPools: { mail: { connection: 'default' } }, jobs: [SendInvoice] });

say('1. The schema refuses bad data at dispatch, and nothing is stored:');
try {
  await redrive.dispatch(SendInvoice, { customer: -1, cents: 990 });
} catch (error) {
  if (!isRedriveError(error, 'PROPERTIES_INVALID')) throw error;
  say(`  ${error.faults.join('; ')}`);
}

say('\n2. Four invoices are sent, one of them by an older program without a schema:');
await redrive.dispatch(SendInvoice, { customer: 1, cents: 990 });
await oldShop.dispatch('invoices.send', { customer: 'two', cents: 990 });
await redrive.dispatch(SendInvoice, { customer: 3, cents: 990 });
await redrive.dispatch(SendInvoice, { customer: 4, cents: 990 });
await redrive.start();
await redrive.idle();

say('\n3. What failed was tried once at most; the busy mail server was tried again:');
for (const failed of (await redrive.failedJobs.list({}, { order: 'oldest' })).items) {
  const { history = [] } = (await redrive.failedJobs.find(failed.id)) ?? {};
  say(`  number ${failed.id}: ${failed.kind}, rule ${history.at(-1)?.rule}, attempt ${failed.attempts} of ${failed.maxAttempts}`);
  say(`    ${failed.message}`);
}

say('\n4. The address is filled in, and what lacked it is put back:');
addresses.set(3, 'barbara@example.com');
await redrive.failedJobs.retry({ type: 'Unrecoverable' });
await redrive.idle();

say('\n5. The unreadable one is sent anew with good data, and its failure resolved:');
const [unreadable] = (await redrive.failedJobs.list({ kind: 'unprocessable' })).items;
const id = await redrive.dispatch(SendInvoice, { customer: 2, cents: 990 });
if (unreadable !== undefined) await redrive.failedJobs.resolve(unreadable.id, { note: `sent as ${id}` });
await redrive.idle();

say(`\n${await redrive.failedJobs.count({ status: 'resolved' })} resolved, ${await redrive.failedJobs.count()} still failed`);
await redrive.stop();
await oldShop.stop();
await rm(folder, { recursive: true });

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
