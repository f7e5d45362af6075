// Orders are handed to a shipping API that has a bad day: it is overloaded, it asks to be left alone for a while, and for
// one order it is down. Attempts that fail are tried again after a backoff that doubles; where the API says how long to
// wait, its word counts. What failed for good is put back once the API is up again.
//
// Run it with: npx jiti examples/flaky-api/main.ts
import { createRedrive, exponential, Job, job, RetryAfter } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { ShippingApi } from './shipping-api.ts';

const api = new ShippingApi();
await api.open();

@job('orders.ship', { maxAttempts: 3, backoff: exponential({ base: '100ms', max: '2s' }), timeout: '2s' })
class ShipOrder extends Job<{ order: number }, string> {
  async handle(): Promise<string> {
    const response = await fetch(`${api.url}/${this.properties.order}`, { method: 'POST', signal: this.signal });
    if (response.ok) return response.text();
    const problem = `the API answered ${response.status}`;
    // A number of seconds, as Redrive takes it.
    if (response.status === 429) throw new RetryAfter(Number(response.headers.get('retry-after') ?? 1), problem);
    throw new Error(problem);
  }
}

const redrive = await createRedrive({
  connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } } },
  workerPools: { shipping: { connection: 'default', quantity: 3 } },
  jobs: [ShipOrder],
  logFailedJobs: true,
  logAttempts: false,
});

redrive.on('onJobException', ({ job: { properties }, attempt, failure, retryAt, at }) => {
  const next = retryAt === null ? 'failed' : `again in ${(retryAt.getTime() - at.getTime()) / 1_000} s`;
  say(`  ${orderOf(properties)}, attempt ${attempt}: ${failure.message}; ${next}`);
});
redrive.on('onJobComplete', ({ job: { properties, attempt }, result }) => {
  say(`  ${orderOf(properties)}, attempt ${attempt}: ${String(result)}`);
});

await redrive.start();

say('Three orders meet an API on a bad day:');
for (const order of [1001, 1002, 1003]) await redrive.dispatch(ShipOrder, { order });
await redrive.idle();

say('\nWhat failed, with the rule that ended it:');
for (const { id } of (await redrive.failedJobs.list()).items) {
  const failed = await redrive.failedJobs.find(id);
  say(`  ${orderOf(failed?.properties)}: ${failed?.message}, after ${failed?.attempts} attempts (${failed?.history?.at(-1)?.rule})`);
}

say('\nThe API is up again, and all that failed is put back:');
api.recover();
const { requeued } = await redrive.failedJobs.retry({ job: 'orders.ship' });
await redrive.idle();
say(
  `\n${requeued} retried, ${await redrive.failedJobs.count({ status: 'resolved' })} resolved, ${await redrive.failedJobs.count()} still failed`,
);

await redrive.stop();
await api.close();

function orderOf(properties: unknown): string {
  return `order ${(properties as { order: number }).order}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
