#!/usr/bin/env node
import { runCli } from '../src/cli/main.ts';
import { processIo } from '../src/cli/process-io.ts';

const argv = process.argv.slice(2);

// Node ends a process once nothing is left that could wake it, whatever is still awaited: that must not look like success.
let ended = false;
process.exitCode = 1;
process.on('exit', (code) => {
  if (!ended && code === 1) process.stderr.write('redrive: ended before the command was done; nothing was left to wait for\n');
});

// Not process.exit: what is written to a pipe is still on its way.
process.exitCode = await runCli(argv, processIo({ ownStdout: argv.includes('--json') }));
ended = true;
