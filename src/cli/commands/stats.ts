import type { Command } from 'commander';
import type { QueueStats } from '../../provider/queue-provider.ts';
import { notEmpty } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { renderTable, type Table } from '../table.ts';

export interface StatsFlags extends CommonFlags {
  readonly queue?: string;
}

export function statsCommand(cli: Cli): Command {
  const command = newCommand('stats', cli).description('every queue in numbers').option('--queue <queue>', 'only this queue', notEmpty);
  return complete(command, cli, { run: (flags: StatsFlags) => stats(flags, cli) });
}

/** Prints a line a queue. */
export async function stats(flags: StatsFlags, cli: Cli): Promise<ExitCode> {
  const { queue } = flags;
  const queues = await withRedrive(cli, { flags, access: 'look' }, async ({ redrive }) =>
    queue === undefined ? redrive.stats() : [await redrive.stats(queue)],
  );
  if (flags.json === true) cli.out.json(queues);
  else if (queues.length === 0) cli.out.line('No jobs yet.');
  else cli.out.lines(renderTable(queuesTable, queues, cli.io.columns));
  return 0;
}

const queuesTable: Table<QueueStats> = {
  columns: [
    { header: 'QUEUE', cell: (one) => (one.paused === true ? `${one.queue} (paused)` : one.queue), min: 10, narrowMin: 5, max: 60 },
    { header: 'READY', cell: (one) => String(one.ready) },
    { header: 'DELAYED', cell: (one) => String(one.delayed), drop: 4 },
    { header: 'RESERVED', cell: (one) => String(one.reserved), drop: 3 },
    { header: 'FAILED', cell: (one) => String(one.failed) },
    { header: 'COMPLETED', cell: (one) => String(one.completed), drop: 1 },
    { header: 'OLDEST READY', cell: (one) => (one.oldestReadyAge === null ? '-' : age(one.oldestReadyAge)), drop: 2 },
  ],
  below: { replaces: [], lines: [] },
};

const units: readonly [unit: string, seconds: number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** Seconds in their two largest units: `3m 12s`, `2d 5h`. */
export function age(seconds: number): string {
  const whole = Math.floor(seconds);
  const largest = units.findIndex(([, size]) => whole >= size);
  if (largest === -1) return '0s';
  const parts = units.slice(largest, largest + 2).map(([unit, size], index): [number, string] => {
    const above = units[largest + index - 1];
    return [Math.floor((index === 0 || above === undefined ? whole : whole % above[1]) / size), unit];
  });
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count}${unit}`])).join(' ');
}
