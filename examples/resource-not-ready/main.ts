// A report is mailed as soon as somebody else has written it. Until then there is nothing wrong, only nothing to do: the job
// puts itself back with `release` and looks again later. Each look costs an attempt, so a report that never comes ends as
// a failed job, and not in waiting for ever. Where looking itself fails, that is an exception, with the job's backoff.
//
// Run it with: npx jiti examples/resource-not-ready/main.ts
import { createRedrive, defineJob, type Job } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';

/** Reports that somebody writes: the name, and how many times it is looked for in vain. */
const looksUntilReady = new Map([
  ['monday', 0],
  ['tuesday', 2],
  ['sunday', Number.POSITIVE_INFINITY],
]);

const mailReport = defineJob({
  name: 'reports.mail',
  maxAttempts: 4,
  backoff: '500ms',
  handle: (job: Job<{ report: string }>) => {
    const { report } = job.properties;
    const left = looksUntilReady.get(report);
    if (left === undefined) throw new Error(`no such report: ${report}`);
    if (left > 0) {
      looksUntilReady.set(report, left - 1);
      say(`  ${report}: not there yet (attempt ${job.attempt} of ${job.maxAttempts})`);
      return job.release('200ms');
    }
    say(`  ${report}: mailed (attempt ${job.attempt} of ${job.maxAttempts})`);
  },
});

const redrive = await createRedrive({
  connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } } },
  workerPools: { reports: { connection: 'default' } },
  jobs: [mailReport],
  logFailedJobs: true,
  logAttempts: false,
});
await redrive.start();

say('Three reports are to be mailed as soon as they are there:');
for (const report of looksUntilReady.keys()) await redrive.dispatch(mailReport, { report });
await redrive.idle();

const [failed] = (await redrive.failedJobs.list()).items;
const { history = [] } = (failed && (await redrive.failedJobs.find(failed.id))) ?? {};
say('\nOne never came, and is on record with every look:');
say(`  ${failed?.type}, code ${failed?.exception.code}, kind ${failed?.kind}`);
for (const { attempt, kind, rule } of history) say(`  attempt ${attempt}: ${kind} (rule ${rule})`);

say('\nIt is written at last, and the job put back:');
looksUntilReady.set('sunday', 0);
await redrive.failedJobs.retry({ kind: 'released' });
await redrive.idle();

say(`\n${await redrive.failedJobs.count({ status: 'resolved' })} resolved, ${await redrive.failedJobs.count()} still failed`);
await redrive.stop();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
