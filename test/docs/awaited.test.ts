import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createRedrive, defineJob, type ProviderContext } from 'redrive';
import { AsyncProvider } from 'redrive/providers/async';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { codes, page, section, tableRows } from './markdown.ts';

/** Notes when each function begins, and when it has ended, some turns of the event loop later. */
class Notes {
  readonly lines: string[] = [];

  async take(name: string): Promise<void> {
    this.lines.push(`${name} begins`);
    await setImmediate();
    await setImmediate();
    this.lines.push(`${name} ends`);
  }

  /** Functions that had ended before the next one began. */
  get awaited(): readonly string[] {
    const begun = this.lines.flatMap((line, index) => (line.endsWith(' begins') ? [{ name: line.replace(/ begins$/, ''), index }] : []));
    const awaited = begun.filter(
      ({ name, index }, position) => this.lines.indexOf(`${name} ends`, index) < (begun[position + 1]?.index ?? this.lines.length),
    );
    return [...new Set(awaited.map(({ name }) => name))].toSorted();
  }
}

it('is awaited: every function of which the page says so, and no other', async () => {
  const notes = new Notes();
  class Slow extends AsyncProvider {
    // oxlint-disable-next-line typescript/no-misused-promises -- the hook may be async, although it need not be
    override async init(context: ProviderContext): Promise<void> {
      super.init(context);
      await notes.take('init');
    }
    override async connect(): Promise<void> {
      // Later calls may come at any time.
      if (!notes.lines.includes('connect begins')) await notes.take('connect');
      await super.connect();
    }
    override afterJobFailed = () => notes.take('afterJobFailed');
  }
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'slow',
      validate: async (value: unknown) => {
        await notes.take('validate');
        return { value };
      },
    },
  };
  const succeeds = defineJob({
    name: 'succeeds',
    before: () => notes.take('before'),
    handle: () => notes.take('handle'),
    after: () => notes.take('after'),
  });
  const fails = defineJob({
    name: 'fails',
    schema,
    maxAttempts: 2,
    backoff: async () => {
      await notes.take('backoff');
      return 0;
    },
    handle: () => Promise.reject(new Error('no luck')),
    onFailure: () => notes.take('onFailure'),
  });
  const redrive = await createRedrive({
    connections: { default: { provider: Slow } },
    workerPools: { main: { connection: 'default' } },
    jobs: [succeeds, fails],
    interceptors: [{ onJobFailed: () => notes.take('onJobFailed') }],
    logFailedJobs: true,
    logger: new RecordingLogger(),
  });
  redrive.on('onJobComplete', () => notes.take('redrive.on'));
  await redrive.start();
  await redrive.dispatch(succeeds);
  await redrive.idle();
  await redrive.dispatch(fails, {});
  await redrive.idle();
  await redrive.stop();
  expect(notes.awaited).toEqual([
    'after',
    'afterJobFailed',
    'backoff',
    'before',
    'connect',
    'handle',
    'init',
    'onFailure',
    'onJobFailed',
    'redrive.on',
    'validate',
  ]);

  const rows = tableRows(section(page('docs/reference/errors.md'), '## What may be async'));
  const said = rows.filter(([, answer]) => answer?.startsWith('yes')).flatMap(([functions]) => codes(functions!));
  expect(said).toEqual(expect.arrayContaining(['before', 'handle', 'after', 'onFailure', 'backoff', 'validate', 'redrive.on', 'connect']));
  expect(rows.filter(([, answer]) => answer?.startsWith('no')).flatMap(([functions]) => codes(functions!))).toEqual(['unique']);
});
