#!/usr/bin/env node
import { runCli } from '../src/cli/main.ts';
import { processIo } from '../src/cli/process-io.ts';

const argv = process.argv.slice(2);
// Not process.exit: what is written to a pipe is still on its way.
process.exitCode = await runCli(argv, processIo({ ownStdout: argv.includes('--json') }));
