import 'reflect-metadata';
import { mkdir, rm, writeFile } from 'node:fs/promises';
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
// For the commands printed at the end.
await writeFile(files.config, `export { default } from '../../examples/webhook-relay/redrive.config.ts';\n`);

const receiver = new Receiver('troubled');
const container = new Container();
container.bind(WebhookClient).toConstantValue(new WebhookClient(() => receiver.url()));
container.load(
  redriveModule({ ...relayConfig(DeliverWebhook), logger: pino({ level: 'info' }, pino.destination({ dest: files.log, sync: true })) }),
);
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

const stopProgress = showProgress(() => ({
  total: count,
  delivered: seen.delivered,
  failed: seen.failed,
  attempts: seen.delivered + seen.failedAttempts,
}));
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

interface Group {
  /** The newest. */
  readonly sample: FailedJob;
  count: number;
}

/** Prints the groups of failures, the counts, and what to do next. */
function report(failed: readonly FailedJob[]): void {
  const attempts = seen.delivered + seen.failedAttempts;
  const groups = groupsOf(failed);
  say();
  if (groups.length > 0) {
    say(`  ${paint('bold', 'What failed, and why')}`);
    say();
    table(
      ['JOBS', 'KIND', 'TYPE', 'MESSAGE'],
      groups.map(({ sample, count: size }) => [String(size), sample.kind, sample.type, sample.message.split('\n')[0]!]),
    );
    say();
  }
  say(`  ${seen.delivered} delivered + ${failed.length} failed = ${count} deliveries`);
  say(`  ${seen.delivered} successful + ${seen.failedAttempts} failed = ${attempts} attempts`);
  say();
  if (groups[0] !== undefined) nextSteps(groups[0].sample);
}

/** Largest first. */
function groupsOf(failed: readonly FailedJob[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const sample of failed) {
    const key = `${sample.type}\n${sample.message}`;
    const group = groups.get(key) ?? { sample, count: 0 };
    group.count += 1;
    groups.set(key, group);
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}

function nextSteps({ id }: FailedJob): void {
  const database = `--database ${relative('', files.database)}`;
  const config = `--config ${relative('', files.config)}`;
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
