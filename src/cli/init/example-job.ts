/** Where the example job goes. */
export const examplePath = 'jobs/example.ts';

/** A job that fails until one word of it is changed, so that the first failed job can be had, mended and retried. */
export const exampleText = `import { defineJob } from 'redrive';

// The example fails until this is true. Once you have looked at the failed job, change it and retry the job.
const repaired = false;

export const example = defineJob({
  name: 'example',
  // Two executions, a second apart. What the last one throws makes a failed job.
  maxAttempts: 2,
  backoff: '1s',
  handle: (job) => {
    if (!repaired) throw new Error('Broken on purpose: set repaired to true in ${examplePath}');
    return \`done in run \${job.run}\`;
  },
});
`;

/** True for a module that a config can import the example from. */
export function exportsExample(text: string): boolean {
  return /^export const example\b/m.test(text);
}
