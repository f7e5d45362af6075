import { it } from 'vitest';
import { configMistakes } from './mistakes/config.ts';
import { dispatchMistakes } from './mistakes/dispatching.ts';
import { failedJobMistakes } from './mistakes/failed-jobs.ts';
import { jobMistakes } from './mistakes/jobs.ts';
import { runningMistakes } from './mistakes/running.ts';
import { serviceMistakes } from './mistakes/services.ts';
import { storeMistakes } from './mistakes/stores.ts';
import { appendFileSync } from 'node:fs';
it('prints', async () => {
  for (const [g, all] of Object.entries({ runningMistakes, failedJobMistakes })) {
    appendFileSync('/tmp/reads.txt', `\n# ${g}\n`);
    for (const [id, mistake] of Object.entries(all)) {
      try { const r = await mistake(); appendFileSync('/tmp/reads.txt', `${id} | ${r.code} | ${r.text}\n`); } catch (e) { appendFileSync('/tmp/reads.txt', `${id} | BARE | ${(e as Error).message}\n`); }
    }
  }
}, 60000);
