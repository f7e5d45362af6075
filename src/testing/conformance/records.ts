import assert from 'node:assert/strict';
import { defineJob } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import { isRedriveError } from '../../errors.ts';
import { hostileValues } from '../hostile/hostile-values.ts';
import type { Suite } from './suite.ts';
import { using } from './world.ts';

class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code = 'E_UPSTREAM';
  readonly status = 503;
  readonly detail = 'the upstream said so';
}

/** F13 to F19: what is recorded. */
export function records({ describe, it, make }: Suite): void {
  describe('what is recorded', () => {
    it('F13: records a failed job whole', async () => {
      const job = defineJob({
        name: 'relay.deliver',
        maxAttempts: 2,
        handle: () => {
          throw new UpstreamError('refused', { cause: new TypeError('socket hang up') });
        },
      });
      await using(await make({ jobs: [job], config: { release: 'v1.2.3' } }), async (world) => {
        const jobId = await world.dispatch(job, { url: 'http://one.example', tags: ['a', 1, null] });
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.equal(typeof failed.id, 'number');
        const { connection, queue, job: name, kind, type, message, detail, attempts, maxAttempts, run, status, release } = failed;
        assert.deepEqual(
          { jobId: failed.jobId, connection, queue, name, kind, type, message, detail, attempts, maxAttempts, run, status, release },
          {
            jobId,
            connection: 'main',
            queue: 'default',
            name: 'relay.deliver',
            kind: 'exception',
            type: 'UpstreamError',
            message: 'refused',
            detail: 'the upstream said so',
            attempts: 2,
            maxAttempts: 2,
            run: 1,
            status: 'failed',
            release: 'v1.2.3',
          },
        );
        assert.deepEqual(failed.properties, { url: 'http://one.example', tags: ['a', 1, null] });
        assert.equal(failed.extendedInfo?.['status'], 503);
        assert.equal(failed.exception.code, 'E_UPSTREAM');
        assert.match(failed.stack, /UpstreamError: refused\n\s+at /);
        assert.equal(failed.exception.cause?.type, 'TypeError');
        assert.equal(failed.exception.cause?.message, 'socket hang up');
        assert.match(failed.fingerprint, /^[0-9a-f]{16}$/);
        assert.equal(failed.worker?.pid, process.pid);
        assert.equal(failed.worker?.pool, 'pool');
        assert.equal(failed.failedAt.getTime(), world.clock.now());
        assert.equal(failed.createdAt?.getTime(), world.clock.now());
      });
    });

    it('F14: a handler that changes its properties changes neither what is stored nor what the next attempt sees', async () => {
      const seen: unknown[] = [];
      const job = defineJob({
        name: 'mutates',
        maxAttempts: 2,
        handle: (self: Job<{ list: number[]; extra?: string }>) => {
          seen.push(structuredClone(self.properties));
          self.properties.list.push(99);
          self.properties.extra = 'added';
          throw new Error('no');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job, { list: [1] });
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.deepEqual(seen, [{ list: [1] }, { list: [1] }]);
        assert.deepEqual(failed.properties, { list: [1] });
        for (const { job: told } of world.at('onJobException')) assert.deepEqual(told.properties, { list: [1] });
      });
    });

    it(`F15: records each of ${hostileValues.length} hostile thrown values, and the worker lives on`, async () => {
      const job = defineJob({
        name: 'hostile',
        handle: (self: Job<{ index: number }>) => {
          const hostile = hostileValues[self.properties.index];
          if (hostile === undefined) return 'still alive';
          throw hostile.make();
        },
      });
      await using(await make({ jobs: [job], pool: { quantity: 4 } }), async (world) => {
        const ids = await world.dispatchMany(hostileValues.map((_, index) => ({ job, properties: { index } })));
        await world.dispatch(job, { index: -1 });
        await world.redrive.start();
        await world.until(
          'every hostile value to be recorded',
          async () => (await world.redrive.failedJobs.count()) === hostileValues.length,
          25_000,
        );
        await world.until('the worker to live on', () => world.at('onJobComplete').length === 1);
        for (const [index, hostile] of hostileValues.entries()) {
          const failed = await world.redrive.failedJobs.find(ids[index] ?? '');
          assert.ok(failed, `${hostile.name} is not recorded`);
          assert.equal(typeof failed.type, 'string', hostile.name);
          assert.ok(failed.type.length > 0, `${hostile.name} has no type`);
          assert.equal(failed.history?.length, 1, `${hostile.name} has no attempt`);
          assert.ok(JSON.stringify(failed.exception).length <= 2 * 1024 * 1024, `${hostile.name} is too large`);
        }
      });
    });

    it('F16: a payload that cannot be parsed fails as unprocessable, with the raw payload kept', async () => {
      const job = defineJob({ name: 'known', handle: () => 'ok' });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.redrive.migrate();
        const provider = await world.provider();
        const id = '01890000-0000-7000-8000-000000000001';
        await provider.push('default', [{ id, name: 'known', memento: '{"id": not json', priority: 0, delayMs: 0 }], {});
        await provider.afterPush([id]);
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.equal(failed.jobId, id);
        assert.equal(failed.kind, 'unprocessable');
        assert.deepEqual(
          failed.history?.map(({ rule }) => rule),
          ['unprocessable'],
        );
        assert.equal(failed.exception.code, 'PAYLOAD_UNREADABLE');
        const stored = await (await world.failureLog()).find(id);
        assert.equal(stored?.memento, '{"id": not json');
      });
    });

    it('F16: a name nobody registered fails as unprocessable, and runs on a retry once the class exists', async () => {
      const other = defineJob({ name: 'other', handle: () => 'ok' });
      const late = defineJob({ name: 'late', handle: (self: Job<{ n: number }>) => self.properties.n });
      await using(await make({ jobs: [other] }), async (world) => {
        const id = await world.dispatch('late', { n: 7 });
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.equal(failed.kind, 'unprocessable');
        assert.equal(failed.exception.code, 'JOB_UNKNOWN');
        assert.deepEqual(failed.properties, { n: 7 });
        await world.redrive.stop();
        world.redrive = await world.another({ jobs: [other, late] });
        await world.redrive.failedJobs.retry(id);
        await world.redrive.start();
        await world.failedJob('resolved');
        assert.equal(world.at('onJobComplete')[0]?.result, 7);
      });
    });

    it('F17: each failed attempt has a row with its number, run, exception, times, worker, delay and rule', async () => {
      const job = defineJob({
        name: 'rows',
        maxAttempts: 3,
        backoff: [5, 20],
        handle: (self) => {
          throw new RangeError(`attempt ${self.attempt}`);
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        const start = world.clock.now();
        await world.dispatch(job);
        await world.redrive.start();
        for (const [index, delay] of [5, 20].entries()) {
          await world.until(`attempt ${index + 1}`, () => world.at('onJobException').length === index + 1);
          await world.clock.advance(delay);
        }
        const { history = [] } = await world.failedJob();
        const since = (at: Date | null | undefined): number | null => (at instanceof Date ? at.getTime() - start : null);
        const rows = history.map(({ run, attempt, kind, type, message, rule, startedAt, endedAt, retryAt }) => {
          return [run, attempt, kind, type, message, rule, since(startedAt), since(endedAt), since(retryAt)];
        });
        assert.deepEqual(rows, [
          [1, 1, 'exception', 'RangeError', 'attempt 1', 'attempts-left', 0, 0, 5_000],
          [1, 2, 'exception', 'RangeError', 'attempt 2', 'attempts-left', 5_000, 5_000, 25_000],
          [1, 3, 'exception', 'RangeError', 'attempt 3', 'max-attempts', 25_000, 25_000, null],
        ]);
        for (const { stack, message, worker } of history) {
          assert.ok(stack.startsWith(`RangeError: ${message}\n`), stack);
          assert.equal(worker.pid, process.pid);
        }
      });
    });

    it('F18: what redact names is in no record, no event and no log line, and the job still runs with it', async () => {
      const secret = 'tok_4242424242424242';
      let ranWith = '';
      const job = defineJob({
        name: 'secretive',
        handle: (self: Job<{ card: { token: string }; note: string }>) => {
          ranWith = self.properties.card.token;
          throw Object.assign(new Error(`gateway refused ${ranWith} for 4111-1111-1111-1111`), {
            token: ranWith,
            request: { headers: { authorization: ranWith } },
          });
        },
      });
      const redact = ['properties.card.token', '*.authorization', /\b\d{4}-\d{4}-\d{4}-\d{4}\b/];
      await using(await make({ jobs: [job], config: { redact, logAttempts: true } }), async (world) => {
        const id = await world.dispatch(job, { card: { token: secret }, note: 'kept' });
        await world.redrive.start();
        const failed = await world.failedJob();
        await world.until('the event', () => world.at('onJobFailed').length === 1);
        assert.equal(ranWith, secret);
        const event = world.at('onJobFailed')[0];
        const shown = JSON.stringify([failed, event?.failure, event?.job, world.logger.lines]);
        assert.ok(!shown.includes(secret), 'the token leaked');
        assert.ok(!shown.includes('4111-1111-1111-1111'), 'the card number leaked');
        assert.ok(shown.includes('kept'));
        const stored = await (await world.failureLog()).find(id);
        assert.ok(stored?.memento.includes(secret), 'the memento keeps the real value: the job must run with it again');
      });
    });

    it('F19: properties that JSON cannot carry are refused at dispatch with the path of the fault, and nothing is stored', async () => {
      const job = defineJob({ name: 'strict', handle: (self: Job<Record<string, unknown>>) => self.properties });
      const cyclic: Record<string, unknown> = {};
      cyclic['self'] = cyclic;
      const refused: [unknown, string][] = [
        [{ when: new Date(0) }, 'properties.when'],
        [{ a: { b: [1, new Map()] } }, 'properties.a.b[1]'],
        [{ n: 1n }, 'properties.n'],
        [{ bytes: Buffer.from('x') }, 'properties.bytes'],
        [{ n: Number.NaN }, 'properties.n'],
        [{ list: [undefined] }, 'properties.list[0]'],
        [cyclic, 'properties.self'],
        [[1, 2], 'properties'],
      ];
      await using(await make({ jobs: [job] }), async (world) => {
        for (const [properties, path] of refused) {
          await assert.rejects(
            world.redrive.dispatch(job, properties as Record<string, unknown>),
            (error: unknown) => isRedriveError(error, 'PROPERTIES_INVALID') && error.message.includes(path),
          );
        }
        await world.dispatch(job, { text: '\u0000 \ud83d\ude00', left: undefined, zero: 0, no: null });
        await world.redrive.start();
        await world.until('the one that was accepted', () => world.at('onJobComplete').length === 1);
        assert.deepEqual(world.at('onJobComplete')[0]?.result, { text: '\u0000 \ud83d\ude00', zero: 0, no: null });
        assert.equal(world.at('onJobAdded').length, 1);
      });
    });
  });
}
