import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectWithPackage, tsc } from '../scaffold/packed-package.ts';
import { skipIfSmall } from '../support/size.ts';

const run = promisify(execFile);

describe('the command as it is published', () => {
  let project: string | undefined;
  const inProject = (name: string): string => join(project!, name);

  beforeAll(async () => {
    project = await projectWithPackage();
  });

  afterAll(() => project && rm(project, { recursive: true, force: true }));

  async function redrive(...argv: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [inProject('node_modules/redrive/dist/bin/redrive.js'), ...argv], { cwd: project! });
    return stdout;
  }

  it('leads from an empty project to a resolved failed job', async () => {
    await writeFile(inProject('package.json'), '{ "name": "app", "dependencies": { "redrive": "*" } }\n');
    for (const command of ['init', 'migrate', 'dispatch example', 'work --stop-when-empty']) await redrive(...command.split(' '));
    expect(await redrive('failed')).toContain('Broken on purpose');
    const job = inProject('jobs/example.ts');
    await writeFile(job, (await readFile(job, 'utf8')).replace('repaired = false', 'repaired = true'));
    expect(await redrive('retry', '1')).toBe('1  requeued\nRe-queued 1 job(s).\n');
    expect(await redrive('work', '--stop-when-empty')).toContain('1 completed');
    expect(JSON.parse(await redrive('failed', '--status', 'any', '--json'))).toMatchObject({ items: [{ id: 1, status: 'resolved' }] });
  });

  it.for(['module', 'commonjs'])('writes what compiles under strict TypeScript in a package of type %s', async (type, { skip }) => {
    skipIfSmall(skip);
    const folder = inProject(type);
    await mkdir(folder);
    const strict = { strict: true, noUncheckedIndexedAccess: true, allowUnreachableCode: false };
    const compilerOptions = { ...strict, module: 'nodenext', target: 'es2022', types: ['node'], noEmit: true };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type }));
    await run(process.execPath, [inProject('node_modules/redrive/dist/bin/redrive.js'), 'init'], { cwd: folder });
    await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) => expect.fail(error.stdout));
  });
});
