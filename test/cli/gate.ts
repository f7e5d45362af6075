/** A config with a job `gate` that runs until it is let go. */
export const gateConfig = `
import { defineConfig, defineJob } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
const gate = defineJob({ name: 'gate', handle: async (job) => { job.log.info({}, 'gate is open'); await globalThis.gateOfTest; } });
export default defineConfig({
  connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: new URL('app.db', import.meta.url).pathname } } } },
  workerPools: { main: { connection: 'main' } },
  jobs: [gate], logFailedJobs: true,
});
`;

/** From now on the job waits; the returned function lets it go. */
export function closeGate(): () => void {
  let open = (): void => undefined;
  (globalThis as { gateOfTest?: Promise<void> }).gateOfTest = new Promise((resolve) => (open = resolve));
  return open;
}
