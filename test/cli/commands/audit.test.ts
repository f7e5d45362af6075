import { describe, expect, it } from 'vitest';
import { dispatched, documentOf, makeProject } from '../project.ts';

describe('redrive audit', () => {
  it('lists who did what, newest first, page by page', async () => {
    const project = await makeProject();
    expect((await project.redrive('audit')).stdout).toBe('Nothing was done by hand.\n');
    for (let n = 0; n < 2; n += 1) await dispatched(project, 'reports.nightly');
    await project.redrive('work', '--stop-when-empty');
    await project.redrive('pause', 'slow', '--by', 'ann');
    await project.redrive('retry', '--job', 'reports.nightly', '--note', 'mended');
    const { stdout, code } = await project.redrive('audit', '--limit', '1');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^AT +BY +ACTION +COUNT +WHAT\n\d{4}-\S+ \S+ +tester +retried +2 +job: reports\.nightly; note: mended\n\n1 shown\. More: redrive audit --limit 1 --cursor \S+\n$/,
    );
    const cursor = /--cursor (\S+)/.exec(stdout)![1]!;
    expect((await project.redrive('audit', '--cursor', cursor)).stdout).toMatch(/ann +paused +1 +slow; connection: main\n$/);
    expect(documentOf(await project.redrive('audit', '--by', 'ann', '--json'))).toMatchObject({
      items: [{ by: 'ann', action: 'paused', count: 1, ids: ['slow'] }],
    });
    expect(documentOf(await project.redrive('audit', '--since', '1h', '--by', 'nobody', '--json'))).toEqual({ items: [] });
  });
});
