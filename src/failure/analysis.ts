import type { Clock } from '../clock.ts';
import { RedriveError } from '../errors.ts';
import type { FailedJobFilter, FailureLog, Place } from '../record/failure-log.ts';
import { emptySpans, type FailureGlance, type Spans } from '../record/failure-tally.ts';
import type { Redactor } from '../record/redaction.ts';
import type { WorkerIdentity } from '../record/types.ts';
import type { FailureGroup, Figures, GroupsOptions, HourCount, QueueCount, QueueSummary, TypeCount } from './figures.ts';
import { dayMs, hourMs, hoursOf, lastSpans } from './spans.ts';
import { sumBy, type Sum } from './sums.ts';

/** How long a search that no index answers may take before it answers with what it has. */
export const searchBudgetMs = 1_000;

const defaultGroups = 100;
const mostGroups = 1_000;
/** Newest failures of a group whose releases and workers are named. */
const sampled = 20;

export interface AnalysisContext {
  readonly log: FailureLog;
  readonly clock: Clock;
  readonly redactor: Redactor;
}

/** Says for a second from now that a search may go on. */
export function withinBudget(clock: Clock): () => boolean {
  const deadline = clock.now() + searchBudgetMs;
  return () => clock.now() < deadline;
}

/** The largest groups of failures, the largest first. */
export async function groups(
  context: AnalysisContext,
  filter: FailedJobFilter,
  { limit = defaultGroups }: GroupsOptions,
): Promise<Figures<FailureGroup>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > mostGroups)
    throw new RedriveError('OPTIONS_INVALID', `limit: must be an integer from 1 to ${mostGroups}`);
  const { log, clock } = context;
  const spans = lastSpans(filter, { now: clock.now(), count: 24, ms: hourMs });
  const { series, partial } = await log.tally(filter, { spans, samples: sampled, largest: limit, mayGoOn: withinBudget(clock) });
  // What has no fingerprint yet is in no group.
  const sums = sumBy(
    series.filter(({ fingerprint }) => fingerprint !== ''),
    ({ fingerprint }) => fingerprint,
  ).slice(0, limit);
  const sampleOf = new Map(sums.map((sum) => [sum, outermost(sum.samples)]));
  const glances = await log.glance([...sampleOf.values()].flat().map(({ id }) => id));
  const byNumber = new Map(glances.map((glance) => [glance.id, glance]));
  const found = sums.map((sum) => presentGroup(context, sum, { spans, samples: sampleOf.get(sum) ?? [], byNumber }));
  return figures(found, partial);
}

export async function byType({ log, clock }: AnalysisContext, filter: FailedJobFilter): Promise<Figures<TypeCount>> {
  const { series, partial } = await log.tally(filter, { mayGoOn: withinBudget(clock) });
  const sums = sumBy(series, ({ type }) => type);
  return figures(
    sums.map(({ of: { type }, count }) => ({ type, count })),
    partial,
  );
}

export async function byQueue({ log, clock }: AnalysisContext, filter: FailedJobFilter): Promise<Figures<QueueCount>> {
  const { series, partial } = await log.tally(filter, { mayGoOn: withinBudget(clock) });
  const sums = sumBy(series, queueKey);
  return figures(
    sums.map(({ of: { connection, queue }, count }) => ({ connection, queue, count })),
    partial,
  );
}

/** One row an hour, also for hours without a failure, oldest first. */
export async function byHour({ log, clock }: AnalysisContext, filter: FailedJobFilter): Promise<Figures<HourCount>> {
  const hours = hoursOf(filter, clock.now());
  const { spans, partial } = await log.histogram(filter, { spans: hours, mayGoOn: withinBudget(clock) });
  return figures(
    spans.map((count, index) => ({ hour: new Date(hours.from + index * hourMs), count })),
    partial,
  );
}

export async function summary({ log, clock }: AnalysisContext, filter: FailedJobFilter): Promise<Figures<QueueSummary>> {
  const days = lastSpans(filter, { now: clock.now(), count: 7, ms: dayMs });
  const { series, partial } = await log.tally(filter, { spans: days, mayGoOn: withinBudget(clock) });
  const sums = sumBy(series, queueKey);
  return figures(
    sums.map(({ of: { connection, queue }, count: total, firstFailedAt, lastFailedAt, spans }) => ({
      connection,
      queue,
      total,
      first: new Date(firstFailedAt),
      last: new Date(lastFailedAt),
      days: filled(spans, days),
    })),
    partial,
  );
}

const queueKey = ({ connection, queue }: { readonly connection: string; readonly queue: string }): string =>
  JSON.stringify([connection, queue]);

function figures<T>(found: T[], partial: boolean): Figures<T> {
  return partial ? Object.assign(found, { partial: true as const }) : found;
}

/** Nothing was counted where there was nothing in any span. */
function filled(counts: readonly number[], spans: Spans): readonly number[] {
  return emptySpans(spans).map((none, index) => counts[index] ?? none);
}

/** The newest of several series' samples, newest first, and the oldest. */
function outermost(samples: readonly Place[]): readonly Place[] {
  const sorted = samples.toSorted((a, b) => b.at - a.at || b.id - a.id);
  const oldest = sorted.at(-1);
  return oldest === undefined || sorted.length <= sampled ? sorted : [...sorted.slice(0, sampled), oldest];
}

interface Sampled {
  readonly spans: Spans;
  readonly samples: readonly Place[];
  readonly byNumber: ReadonlyMap<number, FailureGlance>;
}

function presentGroup({ redactor }: AnalysisContext, sum: Sum, { spans, samples, byNumber }: Sampled): FailureGroup {
  const { fingerprint, job, type } = sum.of;
  const seen = samples.flatMap(({ id }) => byNumber.get(id) ?? []);
  const releases = seen.flatMap(({ release }) => release ?? []).toReversed();
  const workers = new Map(
    seen.flatMap(({ worker }) => (worker === null ? [] : [[JSON.stringify(worker), worker] as [string, WorkerIdentity]])),
  );
  return {
    fingerprint,
    job,
    type,
    message: redactor.text(seen[0]?.message ?? ''),
    count: sum.count,
    firstFailedAt: new Date(sum.firstFailedAt),
    lastFailedAt: new Date(sum.lastFailedAt),
    trend: filled(sum.spans, spans),
    sampleId: samples[0]?.id ?? 0,
    releases: [...new Set(releases)],
    workers: [...workers.values()],
  };
}
