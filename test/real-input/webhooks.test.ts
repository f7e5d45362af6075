import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { documentOf, makeProject, type Project } from '../cli/project.ts';
import { readTables } from '../support/tables.ts';
import { endingOf, failedAttemptsOf, maxAttempts, type Delivery } from './deliver.ts';

// Recorded webhooks, one a line: { event, file, payload }. They are not part of the repository.
const recorded = new URL('../../../shared/data/webhooks.jsonl', import.meta.url);

const config = `
import { existsSync } from 'node:fs';
import { defineConfig } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { makeDeliver } from ${JSON.stringify(fileURLToPath(new URL('deliver.ts', import.meta.url)))};

export default defineConfig({
  connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: new URL('app.db', import.meta.url).pathname } } } },
  workerPools: { relay: { connection: 'main', quantity: 8 } },
  jobs: [makeDeliver(() => existsSync(new URL('repaired', import.meta.url)))],
  logFailedJobs: true,
});
`;

interface Listed {
  readonly id: number;
  readonly jobId: string;
  readonly kind: string;
  readonly type: string;
  readonly attempts: number;
  readonly status: string;
  readonly properties: Delivery;
}

/** Every failed job of a status, page by page. */
async function listAll(project: Project, status: string): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = documentOf(
      await project.redrive('failed', '--json', '--status', status, '--limit', '40', ...(cursor === undefined ? [] : ['--cursor', cursor])),
    ) as { items: Listed[]; cursor?: string };
    listed.push(...page.items);
    cursor = page.cursor;
  }
  return listed;
}

test(
  'recorded webhooks are delivered, fail each in its way, are looked at, retried and resolved, and every count adds up',
  { timeout: 60_000 },
  async ({ skip }) => {
    if (!existsSync(recorded)) skip('the recorded webhooks (../shared/data/webhooks.jsonl beside the repository) are not there');
    const deliveries = readFileSync(recorded, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Delivery);
    expect(deliveries.length).toBeGreaterThan(200);
    const keyOf = ({ event, file }: Delivery): string => `${event}/${file}`;
    const sent = new Map(deliveries.map((delivery) => [keyOf(delivery), delivery]));
    expect(sent.size).toBe(deliveries.length);
    const toFail = deliveries.filter(({ event }) => endingOf(event) !== undefined);
    const failedAttempts = deliveries.reduce((sum, { event }) => sum + failedAttemptsOf(event), 0);
    // To put itself back is no exception, but for the last time.
    const released = deliveries.filter(({ event }) => endingOf(event)?.kind === 'released').length * (maxAttempts - 1);
    const project = await makeProject({ config });
    const database = join(project.cwd, 'app.db');

    const stdin = deliveries.map((properties) => `${JSON.stringify({ name: 'webhooks.deliver', properties })}\n`).join('');
    expect(await project.redriveWith({ stdin }, 'dispatch', '--file', '-')).toEqual({
      code: 0,
      stdout: `Dispatched ${deliveries.length} job(s).\n`,
      stderr: '',
    });

    const worked = await project.redrive('work', '--stop-when-empty', '--json');
    expect(documentOf(worked)).toEqual({
      completed: deliveries.length - toFail.length,
      attemptsFailed: failedAttempts - released,
      jobsFailed: toFail.length,
    });

    // Each failed job is one of the deliveries that had to fail, whole, and ended as it had to.
    const failed = await listAll(project, 'failed');
    expect(failed.map(({ properties }) => keyOf(properties)).toSorted()).toEqual(toFail.map(keyOf).toSorted());
    for (const { properties, kind, type, attempts } of failed) {
      expect(properties).toEqual(sent.get(keyOf(properties)));
      expect({ kind, type, attempts }).toEqual(endingOf(properties.event));
    }
    const before = readTables(database);
    expect(before.failed.map(({ properties }) => JSON.parse(properties) as unknown)).toEqual(
      before.failed.map(({ properties }) => sent.get(keyOf(JSON.parse(properties) as Delivery))),
    );
    expect(before.attempts).toHaveLength(failedAttempts);

    // One of them, looked at.
    const one = failed.find(({ properties }) => properties.event === 'pull_request')!;
    const shown = documentOf(await project.redrive('failed', 'show', String(one.id), '--json')) as Record<string, unknown>;
    expect(shown).toMatchObject({
      jobId: one.jobId,
      properties: sent.get(keyOf(one.properties)),
      message: `503 for ${one.properties.file}, attempt ${maxAttempts}`,
      extendedInfo: { status: 503 },
      exception: {
        type: 'ServiceUnavailable',
        code: 'E_UNAVAILABLE',
        cause: { message: 'connect ECONNREFUSED', cause: { type: 'RangeError', message: 'port 0' } },
      },
      history: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }],
    });
    const text = (await project.redrive('failed', 'show', one.jobId)).stdout;
    for (const part of [one.jobId, 'webhooks.deliver', one.properties.file, 'ServiceUnavailable', 'ECONNREFUSED', 'port 0', 'deliver.ts'])
      expect(text).toContain(part);

    // All of them, put right and retried.
    project.write('repaired', '');
    const retried = await project.redrive('retry', '--all');
    expect(retried).toMatchObject({ code: 0, stderr: '' });
    expect(retried.stdout.trimEnd().split('\n').at(-1)).toBe(`Re-queued ${toFail.length} job(s).`);
    expect(await listAll(project, 'failed')).toEqual([]);
    expect(await listAll(project, 'retrying')).toHaveLength(toFail.length);
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--json'))).toEqual({
      completed: toFail.length,
      attemptsFailed: 0,
      jobsFailed: 0,
    });

    const resolved = await listAll(project, 'resolved');
    expect(resolved.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(failed.map(({ id }) => id).toSorted((a, b) => a - b));
    for (const { properties } of resolved) expect(properties).toEqual(sent.get(keyOf(properties)));
    expect(await listAll(project, 'any')).toHaveLength(toFail.length);
    const after = readTables(database);
    expect(after.jobs).toHaveLength(deliveries.length);
    expect(after.jobs.filter(({ status, run }) => status === 'completed' && run === 2)).toHaveLength(toFail.length);
    expect(after.jobs.filter(({ status, run }) => status === 'completed' && run === 1)).toHaveLength(deliveries.length - toFail.length);
    expect(after.attempts).toEqual(before.attempts);
    expect(after.announcements).toEqual([]);
    expect(await project.redrive('failed')).toMatchObject({ stdout: 'No failed jobs.\n' });
  },
);
