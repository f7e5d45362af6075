import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { UsageError } from '../faults.ts';
import { shellWord } from '../text.ts';
import { configNames, configText, type ProjectKind } from './config-file.ts';
import { examplePath, exampleText, exportsExample } from './example-job.ts';
import { addScripts, type AddedScripts, type Manifest } from './package-scripts.ts';

/** There is no package.json, or none that scripts could be added to. */
export class PackageJsonError extends Error {
  readonly code = 'PACKAGE_JSON_UNUSABLE';
}

/** What `init` did to a project; paths are relative to it. */
export interface InitReport {
  readonly written: readonly string[];
  /** Files that were there already, and are as they were. */
  readonly kept: readonly string[];
  readonly scripts: { readonly added: readonly string[]; readonly kept: readonly string[] };
  /** The config, the one written or the one that was there. */
  readonly config: string;
  /** The config has the example job; undefined where `init` did not write it. */
  readonly hasExample: boolean | undefined;
  /** Redrive is among the dependencies. */
  readonly installed: boolean;
}

interface Project {
  readonly scripts: AddedScripts;
  /** Absolute. */
  readonly config: string;
}

/** Writes what a project lacks, once all of it is known to be possible, and overwrites nothing. `configFile`: instead of the usual name. */
export async function initProject(folder: string, configFile: string | undefined): Promise<InitReport> {
  const project = await look(folder, configFile);
  const written: string[] = [];
  const kept: string[] = [];
  const write = async (path: string, text: string): Promise<boolean> => {
    const isNew = await writeNew(path, text);
    (isNew ? written : kept).push(relative(folder, path));
    return isNew;
  };
  const example = join(folder, examplePath);
  await write(example, exampleText);
  const withExample = exportsExample(await readFile(example, 'utf8'));
  const { scripts } = project;
  const kind = kindOf(folder, scripts.manifest);
  const isNew = await write(project.config, configText({ project: folder, file: project.config, withExample, kind }));
  if (scripts.added.length > 0) {
    await writeFile(join(folder, 'package.json'), scripts.text);
    written.push('package.json');
  }
  return {
    written,
    kept,
    scripts: { added: scripts.added, kept: scripts.kept },
    config: relative(folder, project.config),
    hasExample: isNew ? withExample : undefined,
    installed: isInstalled(scripts.manifest),
  };
}

async function look(folder: string, configFile: string | undefined): Promise<Project> {
  const config = configPath(folder, configFile);
  const flags = configFile === undefined ? '' : ` --config ${shellWord(configFile)}`;
  const packageText = await readFile(join(folder, 'package.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new PackageJsonError(`package.json cannot be read: ${error.message}`, { cause: error });
    throw new PackageJsonError(`there is no package.json in ${folder}: make a project first, with npm init -y`, { cause: error });
  });
  try {
    const scripts = addScripts(packageText, { 'redrive:work': `redrive work${flags}`, 'redrive:failed': `redrive failed${flags}` });
    return { scripts, config };
  } catch (error) {
    throw new PackageJsonError(`package.json cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A config that is there, under any of its names, is found before a new one would be. */
function configPath(folder: string, configFile: string | undefined): string {
  if (configFile === undefined) return join(folder, configNames.find((name) => existsSync(join(folder, name))) ?? configNames[0]);
  const known = configNames.map((name) => extname(name));
  if (!known.includes(extname(configFile)))
    throw new UsageError(`--config ${configFile}: its name must end in ${[...new Set(known)].join(', ')}`);
  return resolve(folder, configFile);
}

/** False where the file is there already. */
async function writeNew(path: string, text: string): Promise<boolean> {
  if (existsSync(path)) return false;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function kindOf(folder: string, manifest: Manifest): ProjectKind {
  if (!existsSync(join(folder, 'tsconfig.json'))) return 'javascript';
  return manifest['type'] === 'module' ? 'typescript' : 'typescript-commonjs';
}

function isInstalled({ dependencies, devDependencies }: Manifest): boolean {
  return [dependencies, devDependencies].some((group) => typeof group === 'object' && group !== null && 'redrive' in group);
}
