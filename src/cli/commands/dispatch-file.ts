import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ResolvedConfig } from '../../config/resolved.ts';
import type { DispatchOptions } from '../../dispatch/dispatcher.ts';
import { byteLines } from '../byte-lines.ts';
import type { Cli, CommonFlags } from '../cli.ts';
import { DispatchReport } from '../dispatch-report.ts';
import { InterruptedError, signalExitCode, UsageError, type ExitCode } from '../faults.ts';
import type { StopSignal } from '../io.ts';
import { JobLoader, linesAtOnce } from '../job-loader.ts';
import { withRedrive } from '../open.ts';
import { Progress } from '../progress.ts';

export interface FileRequest {
  /** A path, or `-` for stdin. */
  readonly file: string;
  /** For what a line leaves open. */
  readonly defaults: DispatchOptions;
  /** Makes a check that throws for a name that may not be dispatched. */
  readonly nameCheck: (config: ResolvedConfig) => (name: string) => void;
}

/**
 * Dispatches a job for each line; a bad line is reported and the rest go on. Exit 1 where a line was refused.
 * What arrived at once is dispatched at once: a slow producer's jobs do not wait for a chunk to fill, and a huge file never fills the memory.
 */
export async function dispatchFile(request: FileRequest, flags: CommonFlags, cli: Cli): Promise<ExitCode> {
  const { source, bytes } = await openSource(request.file, cli);
  const progress = new Progress(cli, 'Dispatching jobs');
  const report = new DispatchReport(cli.out, flags.json === true);
  let signal: StopSignal | undefined;
  const unlisten = cli.io.signals.onStop((received) => {
    if (signal !== undefined) return cli.io.signals.exitNow(signalExitCode[received]);
    signal = received;
    source.destroy();
  });
  const goesOn = async (readBytes: number): Promise<boolean> => {
    progress.update({ done: report.dispatched, part: bytes === undefined ? undefined : readBytes / bytes });
    await cli.out.drained();
    return signal === undefined;
  };
  try {
    await withRedrive(cli, { flags, access: 'change' }, async ({ redrive, config }) => {
      const loader = new JobLoader(redrive, report, { defaults: request.defaults, checkName: request.nameCheck(config) });
      try {
        await loadAll(source, loader, goesOn);
      } catch (error) {
        // A stream that a signal closed under the reader's hands ends in an error, too.
        if (signal === undefined && !report.begun) throw error;
        if (signal === undefined) report.stopped(loader.lastLine + 1, error);
      }
      if (signal !== undefined) report.stopped(loader.lastLine + 1, new InterruptedError(`stopped by ${signal}`));
      report.finish();
    });
  } finally {
    unlisten();
    source.destroy();
  }
  if (signal !== undefined) return signalExitCode[signal];
  return report.allDone ? 0 : 1;
}

async function loadAll(source: Readable, loader: JobLoader, goesOn: (readBytes: number) => Promise<boolean>): Promise<void> {
  let readBytes = 0;
  for await (const lines of byteLines(source)) {
    for (let start = 0; start < lines.length; start += linesAtOnce) {
      const some = lines.slice(start, start + linesAtOnce);
      await loader.load(some);
      readBytes += some.reduce((sum, { text = '' }) => sum + Buffer.byteLength(text) + 1, 0);
      if (!(await goesOn(readBytes))) return;
    }
  }
}

interface Source {
  readonly source: Readable;
  /** How long it is; undefined where nobody knows. */
  readonly bytes: number | undefined;
}

async function openSource(file: string, cli: Cli): Promise<Source> {
  if (file === '-') return { source: cli.io.stdin, bytes: undefined };
  try {
    const handle = await open(resolve(cli.io.cwd, file));
    const stat = await handle.stat();
    if (stat.isDirectory()) {
      await handle.close();
      throw new Error('it is a directory');
    }
    return {
      source: handle.createReadStream({ highWaterMark: 1024 * 1024 }),
      bytes: stat.isFile() && stat.size > 0 ? stat.size : undefined,
    };
  } catch (error) {
    throw new UsageError(`--file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
