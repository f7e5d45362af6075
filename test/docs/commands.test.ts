import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeProject, type Project } from '../cli/project.ts';
import { root } from '../scaffold/packed-package.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Terminal } from '../cli/terminal.ts';
import { commandsBelow, type DocumentedCommand, type Entry } from './help.ts';
import { code, codes, page, section, tableRows } from './markdown.ts';

const text = page('docs/reference/commands.md');
const headings = [...text.matchAll(/^### redrive (.+)$/gm)].map(([, heading]) => heading!);
/** `failed show ID` is the command `failed show`. */
const nameOf = (heading: string): string => heading.replace(/ \[?[A-Z].*$/, '');

let commands: readonly DocumentedCommand[];
beforeAll(async () => {
  commands = await commandsBelow();
});

function rows(heading: string): readonly Entry[] {
  const own = section(text, heading).split(/^#/m, 1)[0]!;
  return tableRows(own).map(([first, meaning = '']) => [code(first), meaning]);
}

const guides = (): readonly string[] => {
  const folder = join(root, 'docs/guides');
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
};

const names = (entries: readonly Entry[]): readonly string[] => entries.map(([name]) => name);

describe('the reference of commands', () => {
  it('has a section for each command, and no other', () => {
    expect(headings.map(nameOf).toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
  });

  it.each(headings)('says of redrive %s what its help says', (heading) => {
    const command = commands.find(({ name }) => name === nameOf(heading))!;
    const own = section(text, `### redrive ${heading}`);
    expect(own.toLowerCase()).toContain(`${command.description.toLowerCase()}.`);
    for (const alias of command.aliases) expect(own).toContain(`\`redrive ${alias}\``);
    const shared = names(rows('## Flags of every command'));
    const choosing = names(rows('## Flags that choose failed jobs'));
    const choosesFailedJobs = choosing.every((flag) => names(command.flags).includes(flag));
    expect(own.includes('(#flags-that-choose-failed-jobs)')).toBe(choosesFailedJobs);
    const elsewhere = [...shared, ...(choosesFailedJobs ? choosing : [])];
    expect(rows(`### redrive ${heading}`)).toEqual([...command.arguments, ...command.flags.filter(([flag]) => !elsewhere.includes(flag))]);
  });

  it('has the flags of every command, and which commands lack one', () => {
    const shared = section(text, '## Flags of every command');
    const [database, ...others] = rows('## Flags of every command');
    for (const { name, flags } of commands)
      expect(
        flags.filter(([flag]) => names(others).includes(flag)),
        name,
      ).toEqual(others);
    const without = commands.filter(({ flags }) => !names(flags).includes(database![0])).map(({ name }) => name);
    const [sentence = ''] = /^.* do not take .*$/m.exec(shared) ?? [];
    expect(codes(sentence).filter((word) => !word.startsWith('--'))).toEqual(without);
  });

  it('has the flags that choose failed jobs, and the commands that take them', () => {
    const choosing = rows('## Flags that choose failed jobs');
    const takers = commands.filter(({ flags }) => names(choosing).every((flag) => names(flags).includes(flag)));
    for (const { flags } of takers) expect(flags).toEqual(expect.arrayContaining([...choosing]));
    const [sentence = ''] = /^.* take them\./m.exec(section(text, '## Flags that choose failed jobs')) ?? [];
    expect(codes(sentence)).toEqual(takers.map(({ name }) => name));
  });

  it('has the codes that only commands have', () => {
    const folder = join(root, 'src/cli');
    const sources = readdirSync(folder, { recursive: true }).filter((file) => String(file).endsWith('.ts'));
    const own = sources.flatMap((file) =>
      [...readFileSync(join(folder, String(file)), 'utf8').matchAll(/readonly code = '([A-Z_]+)'/g)].map(([, found]) => found!),
    );
    const documented = names(rows('## Exit status and errors')).filter((name) => /^[A-Z_]+$/.test(name));
    expect(documented.toSorted()).toEqual([...own, 'UNEXPECTED'].toSorted());
  });
});

describe('the guides', () => {
  it('type commands that there are, with flags that they have', () => {
    const typed = guides().flatMap((guide) =>
      [...guide.matchAll(/^(?:\$ )?(?:\S+=\S+ )*npx redrive (.+)$/gm)].map(([, line]) => line!.replace(/ [|>&#].*$/, '')),
    );
    expect(typed.length).toBeGreaterThan(30);
    for (const line of typed) {
      const command = commands.findLast(({ name, aliases }) => [name, ...aliases].some((word) => `${line} `.startsWith(`${word} `)));
      expect(command, line).toBeDefined();
      const known = command!.flags.flatMap(([flag]) => flag.match(/--[a-z-]+/g) ?? []);
      // What a shell would take as one word may hold dashes of its own.
      const flags = line.replaceAll(/'[^']*'|"[^"]*"/g, '').match(/--[a-z-]+/g) ?? [];
      expect(known, line).toEqual(expect.arrayContaining(flags));
    }
  });
});

describe('what --json prints', () => {
  const documented = new Map(
    tableRows(section(text, '## What --json prints')).map(([command = '', shape = '']) => [code(`${command} \`-\``), shape]),
  );

  it('is as documented, command for command', async () => {
    const printed = await printedDocuments();
    expect([...documented.keys()].filter((name) => name !== '-').toSorted()).toEqual([...printed.keys()].toSorted());
    for (const [command, document] of printed) {
      const shape = documented.get(command)!;
      const one: unknown = shape.startsWith('a list of') ? (document as readonly unknown[])[0] : document;
      const keys = /`\{ ([^}]*) \}`/.exec(shape)![1]!.split(', ');
      // What stands behind the shape is there in some cases only.
      const atTimes = codes(shape.slice(shape.indexOf('}`') + 2));
      const always = Object.keys(one as object).filter((key) => !atTimes.includes(key));
      expect(always.toSorted(), command).toEqual(keys.toSorted());
    }
  });

  it('is an error where one fails', async () => {
    const { stdout, code: status } = await new Terminal({ cwd: temporaryFolder() }).run('failed', '--json');
    expect(status).toBe(2);
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['error']);
    expect(Object.keys((JSON.parse(stdout) as { error: object }).error)).toEqual(['code', 'message']);
  });
});

/** Every command once, with --json. */
async function printedDocuments(): Promise<ReadonlyMap<string, unknown>> {
  const project = await makeProject();
  const printed = new Map<string, unknown>();
  const run = async (command: string, ...argv: readonly string[]): Promise<unknown> => {
    const { stdout } = await project.redrive(...command.split(' '), ...argv, '--json');
    const document: unknown = JSON.parse(stdout);
    printed.set(command, document);
    return document;
  };
  const dispatched = async (...argv: readonly string[]): Promise<string> =>
    ((await run('dispatch', ...argv)) as { ids: readonly [string] }).ids[0];
  writeFileSync(join(project.cwd, 'package.json'), '{}');
  await run('init');
  await run('migrate');
  await run('migrate --status');
  await run('migrate --sql');
  const id = await dispatched('emails.welcome', '{}');
  await run('status', id);
  await run('pause', 'slow');
  await run('resume', 'slow');
  await run('cancel', await dispatched('ping', '--delay', '1h'));
  await run('mark-failed', await dispatched('ping', '--delay', '1h'));
  await run('work', '--stop-when-empty');
  await run('stats');
  await run('failed');
  await run('failed groups');
  await run('failed stats');
  await run('failed show', id);
  await run('retry', id);
  await run('resolve', '1');
  await run('forget', '1');
  await run('flush', '--yes');
  await run('prune', '--older-than', '30d', '--yes');
  await run('bulk-retry');
  await run('audit');
  printed.set('serve', await printedByServe(project));
  await run('migrate --rollback', '--yes');
  return printed;
}

/** It prints when it listens, and ends when it is told to. */
async function printedByServe(project: Project): Promise<unknown> {
  const terminal = project.terminal();
  const ended = terminal.run('serve', '--port', '0', '--json');
  await Promise.race([terminal.shows('}'), ended]);
  terminal.send('SIGTERM');
  return JSON.parse((await ended).stdout);
}
