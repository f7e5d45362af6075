// An app with a container of its own is told of failed payments, and of nothing else. The interceptor is built by the
// container, so it gets the pager that the app has bound; `jobPattern` says which jobs it is about. It is told once a job,
// when the last attempt has failed and that is stored, and what goes wrong in it affects no job.
//
// Run it with: npx jiti examples/alerting-interceptor/main.ts
import { Container } from 'inversify';
import { Job, job, Redrive, redriveModule } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { NotifyOps } from './notify-ops.ts';
import { Pager } from './pager.ts';

@job('payments.capture', { maxAttempts: 3, backoff: '50ms' })
class CapturePayment extends Job<{ order: number }> {
  handle(): void {
    const { order } = this.properties;
    if (order === 7) throw new TypeError(`the bank does not know order ${order}`);
    if (this.attempt < 3) throw new Error('the bank is busy');
    say(`  order ${order} captured in attempt ${this.attempt}`);
  }
}

@job('emails.welcome')
class SendWelcome extends Job {
  handle(): never {
    throw new Error('no mail server');
  }
}

const container = new Container();
container.bind(Pager).toConstantValue(new Pager(say));
container.load(
  redriveModule({
    connections: {
      default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } },
    },
    workerPools: { main: { connection: 'default' } },
    jobs: [CapturePayment, SendWelcome],
    interceptors: [NotifyOps],
    logFailedJobs: true,
    logAttempts: false,
  }),
);
const redrive = container.get(Redrive);
await redrive.start();

say('Two payments and an e-mail:');
await redrive.dispatch(CapturePayment, { order: 6 });
await redrive.dispatch(CapturePayment, { order: 7 });
await redrive.dispatch(SendWelcome);
await redrive.idle();

say('\nWhat failed, whether somebody was called or not:');
for (const failed of (await redrive.failedJobs.list({}, { order: 'oldest' })).items) {
  say(`  number ${failed.id}: ${failed.job}, ${failed.message} (${failed.attempts} of ${failed.maxAttempts} attempts)`);
}
say(`\n${container.get(Pager).calls} call, ${await redrive.failedJobs.count()} failed jobs`);
await redrive.stop();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
