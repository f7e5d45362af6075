import type { FailedJobFilter, FailedJobRef, Place } from '../record/failure-log.ts';
import { noteOf, type Act } from './audit.ts';
import type { ByHandContext } from './by-hand.ts';
import type { ForgetOutcome, ForgetResult } from './failed-job.ts';
import { parseId } from './filter.ts';
import { Removal } from './removal.ts';

/** Who forgets, and who wants to hear how far it is. */
export interface ForgetAct extends Pick<Act, 'by'> {
  readonly onProgress?: (removed: number) => void;
}

type Id = string | number;

/** Ids looked up by one query. */
const idsAtOnce = 500;

/** Removes failed jobs by id; an outcome for each, in order. */
export async function forgetIds(context: ByHandContext, ids: readonly Id[], { by, onProgress }: ForgetAct): Promise<ForgetResult> {
  const removal = new Removal(context, noteOf({ by, action: 'deleted' }, context), onProgress);
  const outcomes: ForgetOutcome[] = [];
  const named = new Set<number>();
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const chunk = ids.slice(from, from + idsAtOnce);
    const refs = await refsOf(context, chunk);
    const statuses = await removal.remove([...new Set(refs)].filter((ref) => ref !== undefined && !named.has(ref.id)) as FailedJobRef[]);
    for (const [index, id] of chunk.entries()) {
      const ref = refs[index];
      // Named twice, it is gone by the second time, if it went at the first.
      const isFirst = ref !== undefined && !named.has(ref.id);
      const status = ref === undefined ? undefined : statuses.get(ref.id);
      outcomes.push({ id, status: isFirst || status === 'retrying' ? (status ?? 'not_found') : 'not_found' });
      if (ref !== undefined) named.add(ref.id);
    }
  }
  return { removed: removal.removed, outcomes };
}

/** Everything that matches now; what fails again meanwhile has a higher number and stays. */
export async function forgetMatching(
  context: ByHandContext,
  filter: FailedJobFilter,
  { by, onProgress }: ForgetAct,
): Promise<ForgetResult> {
  const removal = new Removal(context, noteOf({ by, action: 'deleted', filter }, context), onProgress);
  const outcomes: ForgetOutcome[] = [];
  const through = await context.log.lastSeq();
  for (let after: Place | undefined; ;) {
    const { refs, next } = await context.log.pick(filter, { through, order: 'oldest', ...(after === undefined ? {} : { after }) });
    const statuses = await removal.remove(refs);
    for (const { id, jobId } of refs) outcomes.push({ id: jobId ?? id, status: statuses.get(id) ?? 'not_found' });
    if (next === undefined) return { removed: removal.removed, outcomes };
    after = next;
  }
}

/** In the order of the ids; undefined where there is no such failed job. */
async function refsOf(context: ByHandContext, ids: readonly Id[]): Promise<readonly (FailedJobRef | undefined)[]> {
  const parsed = ids.map(parseId);
  const { refs } = await context.log.pick({ ids: parsed, status: 'any' }, { order: 'oldest' });
  const byId = new Map<Id, FailedJobRef>();
  for (const ref of refs) {
    byId.set(ref.id, ref);
    if (ref.jobId !== null) byId.set(ref.jobId, ref);
  }
  return Promise.all(parsed.map(async (id) => byId.get(id) ?? (typeof id === 'number' ? unnumbered(context, id) : undefined)));
}

/** A row that an old cbq wrote a moment ago has a number as its id, and no place in lists yet. */
async function unnumbered({ log }: ByHandContext, number: number): Promise<FailedJobRef | undefined> {
  const stored = await log.find(number);
  return stored === undefined ? undefined : { ...stored };
}
