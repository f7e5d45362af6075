import { expect, test } from 'vitest';
import { inject } from 'inversify';
import { defineJob, Job, job, Redrive } from 'redrive';
import { runJob } from '../../src/testing/index.ts';
class Mailer { send(x: number) { return x; } }
@job('w', { maxAttempts: 3, backoff: ['1h', '2h'] })
class W extends Job<{ userId: number }> {
  constructor(@inject(Mailer) private readonly mailer: Mailer, @inject(Redrive) private readonly redrive: Redrive) { super(); }
  async handle() { this.mailer.send(this.properties.userId); await this.redrive.dispatch('next', { a: 1 }); if (this.attempt < 3) throw new Error('no'); return 'sent'; }
}
test('x', async () => {
  const t = performance.now();
  const run = await runJob(W, { userId: 1 }, { services: [[Mailer, { send: () => 1 }]] });
  console.log(performance.now() - t, run.status, run.result, run.attempts, run.events.points, run.logs, run.dispatched);
  const t2 = performance.now();
  const hang = await runJob(defineJob({ name: 'h', handle: (j: Job<{ n: number }>) => new Promise<string>(() => {}) }), { n: 1 }, { elapse: '2m', timeout: '1m' });
  console.log(performance.now() - t2, hang.status, hang.failedJob, hang.attempts);
  await expect(runJob(defineJob({ name: 'h', handle: (j) => new Promise(() => {}) }), {}, { patience: '100ms' })).rejects.toThrow('x');
});
