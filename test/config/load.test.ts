import 'reflect-metadata';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Container } from 'inversify';
import { afterEach, describe, expect, it } from 'vitest';
import { defineConfig } from '../../src/config/define-config.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { RedriveConfig } from '../../src/config/redrive-config.ts';
import { RedriveError } from '../../src/errors.ts';
import { definitionOf, job, type JobClass } from '../../src/job/define.ts';
import { Job } from '../../src/job/job.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A project somewhere else, from which none of this package's dependencies could be found. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'redrive-config-')));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const modules = { redrive: { defineConfig, Job, job } };

async function failure(promise: Promise<unknown>): Promise<RedriveError> {
  const error: unknown = await promise.then(
    () => new Error('was loaded'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof RedriveError) return error;
  throw error;
}

const decorated = {
  'redrive.config.ts': `
    import 'reflect-metadata';
    import { defineConfig } from 'redrive';
    import { WelcomeEmail } from './jobs/welcome-email.js';
    export default defineConfig({ jobs: [WelcomeEmail], release: (await import('./release.js')).release satisfies string });
  `,
  'release.ts': `export const release: string = '1.2.3';`,
  'jobs/mailer.ts': `
    import { injectable } from 'inversify';
    export interface Address { readonly name: string }
    @injectable()
    export class Mailer { greet(to: Address): string { return 'hello ' + to.name; } }
  `,
  'jobs/welcome-email.ts': `
    import { inject } from 'inversify';
    import { job, Job } from 'redrive';
    import { Mailer, type Address } from './mailer.js';
    enum Tone { Kind = 'kind' }
    @job('emails.welcome', { maxAttempts: 3 })
    export class WelcomeEmail extends Job<Address> {
      readonly tone = Tone.Kind;
      constructor(@inject(Mailer) private readonly mailer: Mailer, @inject('Clock') readonly clock: unknown) { super(); }
      handle(): string { return this.mailer.greet({ name: 'Ada' }); }
      static readonly needs = Mailer;
    }
  `,
};

describe('loadConfigFile', () => {
  it('loads TypeScript with decorated classes that the container of the running program builds', async () => {
    const { path, config } = await loadConfigFile({ cwd: project(decorated), modules });
    expect(path).toMatch(/redrive\.config\.ts$/);

    const [WelcomeEmail] = resolveConfig(config, {}).jobs as [JobClass & { needs: new () => object }];
    expect(resolveConfig(config, {}).release).toBe('1.2.3');
    expect(definitionOf(WelcomeEmail)).toEqual({ name: 'emails.welcome', options: { maxAttempts: 3 } });
    expect(WelcomeEmail.prototype).toBeInstanceOf(Job);
    expect(Reflect.getMetadata('design:paramtypes', WelcomeEmail)).toEqual([WelcomeEmail.needs, Object]);

    const container = new Container();
    container.bind(WelcomeEmail.needs).toSelf();
    container.bind('Clock').toConstantValue('clock');
    container.bind(WelcomeEmail).toSelf();
    const built = container.get(WelcomeEmail) as Job;
    expect(built).toMatchObject({ tone: 'kind', clock: 'clock' });
    expect(built.handle()).toBe('hello Ada');
  });

  it('shares the modules of the running program with TypeScript and JavaScript alike', async () => {
    for (const extension of ['ts', 'mts', 'js', 'mjs']) {
      const cwd = project({
        [`redrive.config.${extension}`]: `import { Job } from 'redrive';\nimport { Container } from 'inversify';\nexport default { Job, Container };`,
      });
      expect((await loadConfigFile({ cwd, modules })).config, extension).toEqual({ Job, Container });
    }
  });

  it('prefers the running program over a copy beside the config', async () => {
    const cwd = project({
      'redrive.config.mjs': `import { Job } from 'redrive'; export default { Job };`,
      'node_modules/redrive/package.json': '{ "name": "redrive", "type": "module", "exports": "./index.js" }',
      'node_modules/redrive/index.js': 'export class Job {}',
    });
    expect((await loadConfigFile({ cwd, modules })).config).toEqual({ Job });
  });

  it('looks for ts, mts, js and mjs, in this order', async () => {
    const cwd = project({});
    for (const extension of ['mjs', 'js', 'mts', 'ts']) {
      writeFileSync(join(cwd, `redrive.config.${extension}`), `export default { release: '${extension}' };`);
      expect(await loadConfigFile({ cwd })).toEqual({ path: join(cwd, `redrive.config.${extension}`), config: { release: extension } });
    }
  });

  it('takes a file by name, relative to the directory or absolute', async () => {
    const cwd = project({ 'conf/jobs.ts': 'export default { release: "x" as const };' });
    const path = join(cwd, 'conf/jobs.ts');
    expect(await loadConfigFile({ cwd, file: 'conf/jobs.ts' })).toEqual({ path, config: { release: 'x' } });
    expect(await loadConfigFile({ cwd: tmpdir(), file: path })).toEqual({ path, config: { release: 'x' } });
  });

  it('calls a function, also an async one', async () => {
    const cwd = project({
      'redrive.config.ts': `import { defineConfig } from 'redrive'; export default defineConfig(async () => ({ release: await Promise.resolve('x') }));`,
      'plain.ts': 'export default () => ({ release: "y" });',
    });
    expect((await loadConfigFile({ cwd, modules })).config).toEqual({ release: 'x' });
    expect((await loadConfigFile({ cwd, file: 'plain.ts' })).config).toEqual({ release: 'y' });
  });

  it('follows the path aliases of a tsconfig, and does without a broken one', async () => {
    const files = {
      'redrive.config.ts': `import { release } from '@/release'; export default { release };`,
      'src/release.ts': `export const release = 'x';`,
    };
    const cwd = project({ ...files, 'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }' });
    expect((await loadConfigFile({ cwd })).config).toEqual({ release: 'x' });
    const broken = project({ 'redrive.config.ts': 'export default {};', 'tsconfig.json': '{ "extends": "./missing.json" }' });
    expect((await loadConfigFile({ cwd: broken })).config).toEqual({});
  });

  it('reads the files anew each time', async () => {
    const cwd = project({
      'redrive.config.ts': `import { release } from './release.js'; export default { release };`,
      'release.ts': `export const release = 'old';`,
    });
    expect((await loadConfigFile({ cwd })).config).toEqual({ release: 'old' });
    writeFileSync(join(cwd, 'release.ts'), `export const release = 'new';`);
    expect((await loadConfigFile({ cwd })).config).toEqual({ release: 'new' });
  });

  it('says where it looked when there is no config, and what to do', async () => {
    const cwd = project({ 'redrive.config.json': '{}' });
    const error = await failure(loadConfigFile({ cwd }));
    expect(error.code).toBe('CONFIG_NOT_FOUND');
    expect(error.message).toBe(
      `No redrive.config.ts, redrive.config.mts, redrive.config.js, redrive.config.mjs in ${cwd}: run \`redrive init\` to write one, name one with --config FILE, or name the database alone with --database FILE`,
    );
  });

  it('says so when the named file is missing or a folder', async () => {
    const cwd = project({ 'conf/x.ts': '' });
    for (const file of ['nope.ts', 'conf']) {
      const error = await failure(loadConfigFile({ cwd, file }));
      expect(error.code).toBe('CONFIG_NOT_FOUND');
      expect(error.message).toContain(`There is no config file ${join(cwd, file)}: run \`redrive init\``);
      expect(error.message).toContain('--database FILE');
    }
  });

  it.each([
    ['throws', `throw new Error('no database\\nsecond line');`, 'redrive.config.ts cannot be loaded: no database'],
    ['throws something else', `throw 'no database';`, 'redrive.config.ts cannot be loaded: no database'],
    ['throws later', `export default {}; await Promise.reject(new Error('late'));`, 'redrive.config.ts cannot be loaded: late'],
    [
      'imports what is not there',
      `import './jobs/nope.js'; export default {};`,
      "redrive.config.ts cannot be loaded: Cannot find module './jobs/nope.js'",
    ],
    [
      'has no default export',
      'export const config = {};',
      'redrive.config.ts cannot be loaded: it has no default export; write `export default defineConfig({ ... })`',
    ],
    ['is empty', '', 'redrive.config.ts cannot be loaded: it has no default export; write `export default defineConfig({ ... })`'],
    [
      'exports a function that throws',
      `export default () => { throw new Error('not today'); };`,
      'The function that redrive.config.ts exports threw: not today',
    ],
    [
      'names a job badly',
      `import { job, Job } from 'redrive'; @job('') class X extends Job { handle() {} }; export default {};`,
      "redrive.config.ts cannot be loaded: @job on X: give the job a name, such as @job('emails.welcome')",
    ],
  ])('says in one line that a file %s', async (_what, text, message) => {
    const error = await failure(loadConfigFile({ cwd: project({ 'redrive.config.ts': text }), modules }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toBe(message);
    expect(error.cause).toBeDefined();
  });

  it('says where a file does not parse', async () => {
    const cwd = project({ 'redrive.config.ts': 'export default {' });
    const error = await failure(loadConfigFile({ cwd }));
    expect(error.message).toMatch(/^redrive\.config\.ts cannot be loaded: ParseError: Unexpected token \(.*redrive\.config\.ts:1:16\)$/);
    expect(error.message).not.toContain('\n');
  });

  it('runs a file that throws only once', async () => {
    const cwd = project({
      'redrive.config.mjs': `globalThis.redriveConfigRuns = (globalThis.redriveConfigRuns ?? 0) + 1; throw new Error('x');`,
    });
    await failure(loadConfigFile({ cwd }));
    expect((globalThis as { redriveConfigRuns?: number }).redriveConfigRuns).toBe(1);
  });

  it('refuses a file that can be no config by its name', async () => {
    const cwd = project({ 'redrive.json': '{}' });
    const error = await failure(loadConfigFile({ cwd, file: 'redrive.json' }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toBe('redrive.json is no config file: its name must end in .ts, .mts, .cts, .js, .mjs, .cjs');
  });

  it('finds packages installed beside the config', async () => {
    const cwd = project({ 'redrive.config.ts': `import { z } from 'zod'; export default { release: z.string().parse('x') };` });
    mkdirSync(join(cwd, 'node_modules'));
    symlinkSync(join(import.meta.dirname, '../../node_modules/zod'), join(cwd, 'node_modules/zod'));
    expect((await loadConfigFile({ cwd })).config).toEqual({ release: 'x' });
  });
});

describe('defineConfig', () => {
  it('gives back what it is given: a config, or a function', () => {
    const config: RedriveConfig = { release: 'x' };
    const later = async (): Promise<RedriveConfig> => config;
    expect(defineConfig(config)).toBe(config);
    expect(defineConfig(later)).toBe(later);
  });

  it('refuses in the compiler what the config check refuses', () => {
    // @ts-expect-error -- a job is a class, not its name
    defineConfig({ jobs: ['emails.welcome'] });
    // @ts-expect-error -- an unknown key
    defineConfig({ conections: {}, release: 'x' });
    // @ts-expect-error -- not available in this version
    defineConfig({ alerts: [{ name: 'storm' }] });
    // @ts-expect-error -- a provider is needed
    defineConfig({ connections: { main: {} } });
  });
});
