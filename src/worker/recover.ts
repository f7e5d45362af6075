import type { ResolvedPool } from '../config/resolved.ts';
import { RedriveError } from '../errors.ts';
import type { Announcement, LostJob, PullProvider } from '../provider/pull-provider.ts';
import { rebuildException } from '../record/rebuild-exception.ts';
import type { JobRunner } from './job-runner.ts';
import { resolvePolicy } from './policy.ts';
import { readPolicies } from './session-policies.ts';
import { openCase, type Case } from './verdict.ts';
import type { WorkerContext } from './worker-context.ts';
import type { WorkerSession } from './worker-session.ts';

/** Cleans up after the dead: their started jobs are judged as lost, and what they left untold is told. */
export async function recover(
  session: WorkerSession,
  pool: ResolvedPool,
  provider: PullProvider,
  context: WorkerContext,
  runner: JobRunner,
): Promise<void> {
  for (let lost = await provider.rescue(session.session); lost.length > 0; lost = await provider.rescue(session.session)) {
    await Promise.all(lost.map((one) => rescue(one, pool, context, { runner, session })));
    if (session.isLost) return;
  }
  do {
    const untold = await provider.adopt(session.session, context.registry.names(), session.telling);
    // A log that cannot be told is not to be asked without a pause.
    if (untold.length === 0 || !(await tellAll(untold, pool, context, { runner, session }))) return;
  } while (!session.isLost && !session.isClosed);
}

/** Whether all of them were told; those that were not are taken up again at the next renewal. */
async function tellAll(untold: readonly Announcement[], pool: ResolvedPool, context: WorkerContext, hands: Hands): Promise<boolean> {
  const { session } = hands;
  for (const { eventId } of untold) session.telling.add(eventId);
  let areTold = true;
  for (const announcement of untold) {
    try {
      if (await redeliver(announcement, pool, context, hands)) {
        session.settler.forget(announcement.eventId);
        continue;
      }
    } catch (error) {
      context.logger.warn({ err: error, eventId: announcement.eventId }, 'An announcement could not be told; trying again');
    }
    // Told by nobody now, and no reason for the others to wait.
    session.telling.delete(announcement.eventId);
    areTold = false;
  }
  return areTold;
}

interface Hands {
  readonly runner: JobRunner;
  readonly session: WorkerSession;
}

async function rescue(lost: LostJob, pool: ResolvedPool, context: WorkerContext, { runner, session }: Hands): Promise<void> {
  const opened = openLostCase(lost, pool, context);
  const { evidence, job } = lost;
  const endedAt = context.clock.now();
  const exception = new RedriveError(
    'JOB_LOST',
    `The worker that ran this attempt (pool ${evidence.pool}, host ${evidence.host}, pid ${evidence.pid}) died or lost its lease; it was last heard of at ${new Date(evidence.lastSeenAt).toISOString()}`,
  );
  Object.assign(exception, {
    host: evidence.host,
    pid: evidence.pid,
    pool: evidence.pool,
    lastSeenAt: new Date(evidence.lastSeenAt).toISOString(),
    declaredDeadAt: new Date(evidence.deadAt).toISOString(),
  });
  // The stack would show where the rescuer stands, which explains nothing.
  exception.stack = '';
  const verdict = await runner.judge.judge(
    opened,
    { status: 'lost', exception, lossesBefore: lost.losses },
    { startedAt: job.reservedAt, endedAt },
    evidence,
  );
  context.logger.warn(
    { id: job.id, job: job.name, attempt: job.attempt, ...evidence, policies: undefined, action: verdict.decision.action },
    'A job of a dead worker was rescued',
  );
  const receipt = await runner.settle(verdict, session);
  if (receipt !== undefined) await runner.tell(opened, verdict, receipt, { session, job: undefined });
}

/** The lost job's case, judged by what the dead worker knew where this process does not know the class. */
function openLostCase(lost: LostJob, pool: ResolvedPool, context: WorkerContext): Case {
  const opened = openCase(lost.job, pool, context);
  const left = readPolicies(lost.evidence.policies, lost.job.name, pool);
  return { ...opened, policy: resolvePolicy(opened.memento?.options ?? {}, opened.registered?.policy ?? left.job, left.pool) };
}

/** False where the failed-jobs log could not be written before the pool gave up. */
async function redeliver(
  announcement: Announcement,
  pool: ResolvedPool,
  context: WorkerContext,
  { runner }: Pick<Hands, 'runner'>,
): Promise<boolean> {
  if (announcement.kind !== 'failed') {
    const log = await context.failureLog();
    const { eventId: _eventId, kind, ...step } = announcement;
    await log?.[kind]([step]);
    return true;
  }
  const { job, record, failedJobId } = announcement;
  const opened = openCase(job, pool, context);
  const exception = rebuildException(record.exception);
  const info = runner.judge.info(opened);
  return runner.announcer.announce({
    info,
    pool: { name: record.worker.pool, connection: record.connection },
    record,
    exception,
    isTerminal: true,
    failedJobId,
    job: await runner.build(opened),
    redelivered: true,
  });
}
