import 'reflect-metadata';
import { mkdir, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { Container } from 'inversify';
import { pino } from 'pino';
import { type FailedJob, type JobSpec, Redrive, redriveModule } from 'redrive';
import { DeliverWebhook } from './deliver-webhook.ts';
import { readDeliveries, writeDeliveries } from './deliveries.ts';
import { Receiver } from './receiver.ts';
import { files, relayConfig } from './relay.ts';
import { paint, say, showProgress, table } from './terminal.ts';
import { WebhookClient } from './webhook-client.ts';

const count = Number(process.env['DEMO_DELIVERIES'] ?? 300);
if (!Number.isSafeInteger(count) || count < 1) throw new Error('DEMO_DELIVERIES must be a whole number of at least 1');

await rm(files.folder, { recursive: true, force: true });
await mkdir(files.folder, { recursive: true });
await writeDeliveries(files.deliveries, count, 20_260_101);

const receiver = new Receiver('troubled');
const container = new Container();
container.bind(WebhookClient).toConstantValue(new WebhookClient(() => receiver.url()));
container.load(redriveModule({ ...relayConfig(DeliverWebhook), logger: pino({ level: 'info' }, pino.destination({ dest: files.log, sync: true })) }));
const redrive = container.get(Redrive);

const seen = { delivered: 0, failed: 0, failedAttempts: 0 };
redrive.on('onJobComplete', () => (seen.delivered += 1));
redrive.on('onJobException', () => (seen.failedAttempts += 1));
redrive.on('onJobFailed', () => (seen.failed += 1));

say();
say(`  ${paint('bold', 'Webhook relay')}: ${count} deliveries to 8 customers, whose endpoints are slow,`);
say('  busy, broken or gone. One SQLite file, 12 workers, at most 4 attempts each.');
say();

await redrive.start();
const jobs: JobSpec[] = [];
for await (const delivery of readDeliveries(files.deliveries)) jobs.push({ job: DeliverWebhook, properties: delivery });
await redrive.dispatchMany(jobs);

const stopProgress = showProgress(() => ({ total: count, delivered: seen.delivered, failed: seen.failed, attempts: seen.delivered + seen.failedAttempts }));
const finished = await redrive.idle({ timeout: '5m' });
stopProgress();

const failedJobs = await allFailedJobs();
await redrive.stop();
receiver.close();
report(failedJobs);
if (!finished) throw new Error('the relay did not finish within five minutes');
if (seen.delivered + failedJobs.length !== count || failedJobs.length !== seen.failed) throw new Error('the counts do not add up');

async function allFailedJobs(): Promise<readonly FailedJob[]> {
  const found: FailedJob[] = [];
  let cursor: string | undefined;
  do {
    const page = await redrive.failedJobs.list({}, { limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Prints the groups of failures, the counts, and what to do next. */
function report(failed: readonly FailedJob[]): void {
  const attempts = seen.delivered + seen.failedAttempts;
  say();
  if (failed.length > 0) {
    say(`  ${paint('bold', 'What failed, and why')}`);
    say();
    table(['COUNT', 'KIND', 'TYPE', 'MESSAGE'], groupsOf(failed));
    say();
  }
  say(`  ${seen.delivered} delivered + ${failed.length} failed = ${count} deliveries`);
  say(`  ${seen.delivered} successful + ${seen.failedAttempts} failed = ${attempts} attempts`);
  say();
  const [example] = failed;
  if (example !== undefined) nextSteps(example);
}

function groupsOf(failed: readonly FailedJob[]): readonly (readonly string[])[] {
  const groups = new Map<string, { readonly sample: FailedJob; count: number }>();
  for (const job of failed) {
    const key = `${job.type}\n${job.message}`;
    const group = groups.get(key) ?? { sample: job, count: 0 };
    group.count += 1;
    groups.set(key, group);
  }
  const largestFirst = [...groups.values()].toSorted((a, b) => b.count - a.count);
  return largestFirst.map(({ sample, count: size }) => [String(size), sample.kind, sample.type, sample.message.split('\n')[0]!]);
}

function nextSteps({ id }: FailedJob): void {
  const database = `--database ${relative('', files.database)}`;
  const config = '--config examples/webhook-relay/redrive.config.ts';
  const step = (why: string, ...commands: readonly string[]): void => {
    say(`  ${paint('dim', `# ${why}`)}`);
    for (const command of commands) say(`  npx redrive ${command}`);
  };
  say(`  ${paint('bold', 'Now you')}`);
  say();
  step('list what failed, newest first', `failed ${database}`);
  step(`look at number ${id}: exception, properties, every attempt`, `failed show ${id} ${database}`);
  step('the endpoints are repaired by now: put it back, and work it', `retry ${id} ${database}`, `work --once ${config}`);
  step('look again: it is resolved, its history kept', `failed show ${id} ${database}`);
  step('put back all the others, and work them', `retry --all ${database}`, `work --stop-when-empty ${config}`);
  say();
}
