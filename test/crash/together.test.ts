import { expect, it } from 'vitest';
import { expectNothingUnderWay, makeScene, stopped } from './scene.ts';

const full = process.env['REDRIVE_TEST_SIZE'] === 'full';
const processes = full ? 8 : 4;
const jobs = full ? 5_000 : 500;

it(
  `F33: ${processes} processes that start at once on a file that is not there run each of ${jobs} jobs exactly once`,
  { timeout: 120_000 },
  async () => {
    const scene = await makeScene({ migrated: false });
    const workers = Array.from({ length: processes }, () => scene.worker({ quantity: 5, lease: '60s' }));
    await Promise.all(workers.map((worker) => worker.says('it is ready', ({ said }) => said === 'ready')));
    const ids = await scene.dispatchMany(Array.from({ length: jobs }, () => ({ act: 'succeed' }) as const));
    const completed = (): number => workers.flatMap(({ messages }) => messages).filter(({ said }) => said === 'complete').length;
    while (completed() < jobs) await Promise.race(workers.map((worker) => worker.news()));
    await Promise.all(workers.map(stopped));
    const started = scene.journal();
    expect(started.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(processes);
    const tables = scene.tables();
    expect(tables.jobs.every(({ status, attempt }) => status === 'completed' && attempt === 1)).toBe(true);
    expect(tables.attempts).toEqual([]);
    expectNothingUnderWay(tables);
  },
);
