import { createInterface } from 'node:readline';
import type { Cli } from './cli.ts';
import { UsageError } from './faults.ts';

export interface YesFlag {
  readonly yes?: boolean;
}

/** What {@link confirm} takes for an answer given beforehand. */
export const yesOption = ['--yes', 'do not ask'] as const;

/**
 * Asks on the terminal whether to go on with a loss, such as `This removes 12 failed jobs for good`; `--yes` has
 * answered already. Anything but `y` or `yes` is a no. Throws a {@link UsageError} where there is nobody to ask.
 */
export async function confirm(cli: Cli, flags: YesFlag, loss: string): Promise<boolean> {
  if (flags.yes === true) return true;
  const { isTty, stdin } = cli.io;
  if (!isTty.stdin || !isTty.stderr) throw new UsageError(`${loss}: say --yes, since there is no terminal to ask on; nothing was done`);
  cli.out.ask(`${loss}. Go on? [y/N] `);
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return /^\s*y(?:es)?\s*$/i.test(line);
    // The end of the input, where nobody pressed Enter.
    cli.out.detail('');
    return false;
  } finally {
    lines.close();
  }
}
