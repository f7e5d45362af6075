import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { root, tsc } from '../scaffold/packed-package.ts';
import type { Consumer } from './consumer.ts';

/** A job that fails until the shop is open, put back and resolved; prints what became of it. The file keeps one that stays failed. */
const story = (file: string): string => `
  let open = false;
  const charge = defineJob({ name: 'cards.charge', maxAttempts: 2, handle: (job) => { if (!open) throw new Error('the shop is closed'); return job.run; } });
  const redrive = await createRedrive({
    connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: '${file}' } } } },
    workerPools: { main: { connection: 'default' } },
    jobs: [charge],
    logFailedJobs: true,
    logAttempts: false,
  });
  await redrive.start();
  const id = await redrive.dispatch(charge, { card: 'card_1' });
  await redrive.dispatch('nobody.knows', {});
  await redrive.idle();
  const failed = await redrive.failedJobs.count();
  open = true;
  const { requeued } = await redrive.failedJobs.retry(id);
  await redrive.idle();
  const { status, result } = await redrive.status(id);
  const [one] = (await redrive.failedJobs.list({ status: 'resolved' })).items;
  await redrive.stop();
  console.log(JSON.stringify({ failed, requeued, status, result, resolved: one?.jobId === id, attempts: one?.attempts }));
`;
const outcome = { failed: 2, requeued: 1, status: 'successful', result: 2, resolved: true, attempts: 2 };

export async function expectEsmWorks(project: Consumer): Promise<void> {
  const imports = `import { createRedrive, defineJob } from 'redrive';\nimport { DatabaseProvider } from 'redrive/providers/database';\n`;
  await write(project, 'esm/program.mjs', imports + story('esm.db'));
  await expectOutcome(project, 'esm/program.mjs');
}

export async function expectRequireWorks(project: Consumer): Promise<void> {
  const requires = `const { createRedrive, defineJob } = require('redrive');\nconst { DatabaseProvider } = require('redrive/providers/database');\n`;
  await write(project, 'cjs/program.cjs', `${requires}(async () => {${story('cjs.db')}})();\n`);
  await expectOutcome(project, 'cjs/program.cjs');
}

async function expectOutcome(project: Consumer, file: string): Promise<void> {
  const { code, stdout, stderr } = await project.run('node', file);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(outcome);
}

/** The command, on what the last program left behind: of the two jobs the one that nobody knows is still failed. */
export async function expectCommandWorks(project: Consumer): Promise<void> {
  const bin = join(project.folder, 'node_modules/.bin/redrive');
  const listed = await project.run('node', bin, 'failed', '--database', 'esm.db', '--json');
  const { items } = JSON.parse(listed.stdout) as { items: readonly { id: number; job: string; kind: string }[] };
  expect(items).toMatchObject([{ job: 'nobody.knows', kind: 'unprocessable' }]);
  const shown = await project.run('node', bin, 'failed', 'show', String(items[0]!.id), '--database', 'esm.db');
  expect(shown.stdout).toContain('No job named "nobody.knows" is registered here');
  expect((await project.run('node', bin, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const nothing = await project.run('node', bin, 'failed', '--database', 'missing.db');
  expect(nothing.code).toBe(1);
}

/** A config file with decorated TypeScript, which the command compiles and runs. */
export async function expectConfigFileWorks(project: Consumer): Promise<void> {
  await write(
    project,
    'redrive.config.ts',
    `import { inject, injectable } from 'inversify';
import { defineConfig, Job, job } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';

@injectable()
class Printer {
  print(text: string): string { return text.toUpperCase(); }
}
@job('texts.print')
class PrintText extends Job<{ text: string }, string> {
  constructor(@inject(Printer) private readonly printer: Printer) { super(); }
  handle(): string { return this.printer.print(this.properties.text); }
}
export default defineConfig({
  connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: 'print.db' } } } },
  workerPools: { main: { connection: 'default' } },
  jobs: [PrintText],
  logFailedJobs: true,
});
`,
  );
  const bin = join(project.folder, 'node_modules/.bin/redrive');
  expect(await project.run('node', bin, 'migrate')).toMatchObject({ code: 0 });
  expect(await project.run('node', bin, 'dispatch', 'texts.print', '{"text":"hello"}')).toMatchObject({ code: 0 });
  const worked = await project.run('node', bin, 'work', '--stop-when-empty', '--json');
  expect(worked.code, worked.stderr).toBe(0);
  expect(JSON.parse(worked.stdout)).toMatchObject({ completed: 1, jobsFailed: 0 });
}

const consumerSource = `
import 'reflect-metadata';
import { Container, inject, injectable } from 'inversify';
import { createRedrive, exponential, isRedriveError, Job, job, jobPattern, Redrive, redriveModule, type FailedJob, type Interceptor, type JobFailedEvent, type RedriveConfig } from 'redrive';
import { LogAttempts } from 'redrive/interceptors/log-attempts';
import { SqlFailureLog } from 'redrive/interceptors/log-failed-jobs';
import { failedJobsMigrations, jobsMigrations } from 'redrive/migrations';
import { AsyncProvider, Memory } from 'redrive/providers/async';
import { DatabaseProvider } from 'redrive/providers/database';
import { SyncProvider } from 'redrive/providers/sync';

@injectable()
class Mailer {
  async welcome(userId: number, options: { signal: AbortSignal }): Promise<string> {
    return options.signal.aborted ? 'too late' : String(userId);
  }
}

@job('emails.welcome', { maxAttempts: 3, backoff: exponential({ base: '1s', jitter: 0.2 }), timeout: '20s' })
class SendWelcomeEmail extends Job<{ userId: number }, string> {
  constructor(@inject(Mailer) private readonly mailer: Mailer) {
    super();
  }
  override async handle(): Promise<string> {
    return this.mailer.welcome(this.properties.userId, { signal: this.signal });
  }
}

@injectable()
class NotifyOps implements Interceptor {
  @jobPattern(/^emails\\./)
  async onJobFailed({ failure, failedJobId }: JobFailedEvent): Promise<void> {
    console.log(failure.message, failedJobId?.toFixed());
  }
}

const config: RedriveConfig = {
  connections: {
    default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: 'types.db' } } },
    memory: { provider: AsyncProvider, properties: { memory: new Memory() } },
    here: { provider: SyncProvider },
  },
  workerPools: { mail: { connection: 'default', queues: ['high', 'default'], quantity: 10 } },
  jobs: [SendWelcomeEmail],
  interceptors: [NotifyOps],
  logFailedJobs: true,
};
const container = new Container();
container.bind(Mailer).toSelf();
container.load(redriveModule(config));
const redrive: Redrive = container.get(Redrive);
const id: string = await redrive.dispatch(SendWelcomeEmail, { userId: 1 });
// @ts-expect-error -- the properties are typed
await redrive.dispatch(SendWelcomeEmail, { userId: 'one' }).catch(() => undefined);
const failed: FailedJob | undefined = await redrive.failedJobs.find(id);
console.log(failed?.history?.at(-1)?.rule, (await createRedrive({})) instanceof Redrive, isRedriveError(undefined));
console.log(LogAttempts, SqlFailureLog, failedJobsMigrations, jobsMigrations);
await redrive.stop();
`;

/** A consumer's TypeScript compiles, with the types of every entry point looked at, and what comes out runs. */
export async function expectTypesHold(project: Consumer): Promise<void> {
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    skipLibCheck: false,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
  };
  await write(project, 'types/consumer.mts', consumerSource);
  await write(project, 'types/tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.mts'] }));
  const { code, stdout } = await project.run('node', tsc, '-p', 'types');
  expect(stdout).toBe('');
  expect(code).toBe(0);
  expect(await project.run('node', 'types/out/consumer.mjs')).toMatchObject({ code: 0 });
}

/** A job with a service from a container that the program made with its own inversify, where Redrive has another. */
export const twoCopies = `
import { Container, inject, injectable } from 'inversify';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Job, job, Redrive, redriveModule } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';

class Mailer { send() { return 'sent by the mailer'; } }
injectable()(Mailer);
class SendMail extends Job {
  constructor(mailer) { super(); this.mailer = mailer; }
  handle() { return this.mailer.send(); }
}
inject(Mailer)(SendMail, undefined, 0);
job('mails.send')(SendMail);

const container = new Container();
container.bind(Mailer).toSelf();
container.load(redriveModule({
  connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } } },
  workerPools: { main: { connection: 'default' } },
  jobs: [SendMail],
  logFailedJobs: true,
}));
const redrive = container.get(Redrive);
await redrive.start();
const id = await redrive.dispatch(SendMail, {});
await redrive.idle();
const own = realpathSync(createRequire(import.meta.url).resolve('inversify'));
const its = realpathSync(createRequire(import.meta.resolve('redrive')).resolve('inversify'));
console.log((own === its ? 'one copy' : 'two copies') + ': ' + (await redrive.status(id)).result);
await redrive.stop();
`;

/** Puts a copy of inversify below the package, so that it is not the project's. */
export async function giveOwnInversify(project: Consumer): Promise<void> {
  const below = join(project.folder, 'node_modules/redrive/node_modules');
  for (const name of ['inversify', '@inversifyjs']) await cp(join(root, 'node_modules', name), join(below, name), { recursive: true });
}

export async function write(project: Consumer, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(project.folder, file)), { recursive: true });
  await writeFile(join(project.folder, file), text);
}
