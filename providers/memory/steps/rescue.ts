import type { LostJob } from '../../../src/provider/pull-provider.ts';
import { reservedJob, type MemoryJob } from '../jobs.ts';
import type { Memory } from '../memory.ts';
import type { MemorySession } from '../sessions.ts';

/** Lost jobs judged at once; the rest follows in the next call. */
const lostAtOnce = 100;

export interface Rescued {
  readonly lost: readonly LostJob[];
  /** Whether jobs that never started went back. */
  readonly gaveBack: boolean;
}

/**
 * Declares sessions dead whose lease ended, and gives back uncounted what they never started. Their started jobs are
 * returned, still leased to the dead: the settlement that follows is fenced by that lease, so of two rescuers one moves
 * the job.
 */
export function rescue(memory: Memory, sessionId: number, now: number): Rescued {
  const { sessions } = memory;
  sessions.fence(sessionId);
  for (const session of sessions.expired(sessionId, now)) session.deadAt = now;
  const dead = sessions.dead();
  const gaveBack = dead.map((session) => giveBackUnstarted(memory, session)).includes(true);
  const lost = dead.flatMap((session) => [...session.held.values()].map((job) => ({ session, job })));
  const oldestFirst = lost.toSorted((a, b) => a.job.number - b.job.number).slice(0, lostAtOnce);
  return { lost: oldestFirst.flatMap(({ session, job }) => lostJob(memory, session, job)), gaveBack };
}

function giveBackUnstarted({ jobs }: Memory, session: MemorySession): boolean {
  const unstarted = [...session.held].filter(([seq]) => seq > session.startedThrough);
  for (const [seq, job] of unstarted) {
    session.held.delete(seq);
    jobs.giveBack(job);
  }
  return unstarted.length > 0;
}

function lostJob({ attempts }: Memory, { info, renewedAt, deadAt }: MemorySession, job: MemoryJob): readonly LostJob[] {
  if (job.lease === undefined || deadAt === undefined) return [];
  const { pool, host, pid, policies } = info;
  return [
    {
      job: reservedJob(job, job.lease),
      losses: attempts.losses(job.id, job.run),
      evidence: { pool, host, pid, policies, lastSeenAt: renewedAt, deadAt },
    },
  ];
}
