import { Terminal } from '../cli/terminal.ts';

/** A command as its own help tells of it. */
export interface DocumentedCommand {
  /** `failed show`. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly arguments: readonly Entry[];
  readonly flags: readonly Entry[];
}

export type Entry = readonly [word: string, meaning: string];

/** Every command below one, itself included where it is one, in the order of the help. */
export async function commandsBelow(...path: readonly string[]): Promise<readonly DocumentedCommand[]> {
  const text = await helpOf(path);
  const below: DocumentedCommand[] = [];
  for (const name of subcommands(text, path.length === 0)) below.push(...(await commandsBelow(...path, name)));
  return path.length === 0 ? below : [read(path.join(' '), text), ...below];
}

async function helpOf(path: readonly string[]): Promise<string> {
  // Wide enough that no description is wrapped.
  const { stdout, code } = await new Terminal({ columns: 1_000 }).run(...path, '--help');
  if (code !== 0) throw new Error(`redrive ${path.join(' ')} --help ends with ${code}`);
  return stdout;
}

function read(name: string, text: string): DocumentedCommand {
  const [, usage = ''] = /^Usage: redrive (.*)$/m.exec(text) ?? [];
  const lastWord = name.split(' ').at(-1)!;
  const aliases = new RegExp(`\\b${lastWord}\\|(\\S+)`).exec(usage)?.[1]?.split('|') ?? [];
  const description = text.split('\n\n')[1]?.trim() ?? '';
  return { name, aliases, description, arguments: entries(text, 'Arguments'), flags: entries(text, 'Options') };
}

/** The two columns below a title. */
function entries(text: string, title: string): readonly Entry[] {
  const body = new RegExp(`^${title}:\\n((?: {2}.*\\n)*)`, 'm').exec(text)?.[1] ?? '';
  return [...body.matchAll(/^ {2}(.+?) {2,}(.+)$/gm)].map(([, word = '', meaning = '']) => [word, meaning]);
}

/** The first help has its commands in groups; that of a command has them below one title. */
function subcommands(text: string, isFirst: boolean): readonly string[] {
  const body = isFirst
    ? text.slice(text.indexOf('\n\n', text.indexOf('Options:')))
    : (/^Commands:\n((?: {2}.*\n)*)/m.exec(text)?.[1] ?? '');
  return [...body.matchAll(/^ {2}([a-z][a-z-]*)(?:\|\S+)?(?: .*)?$/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
}
