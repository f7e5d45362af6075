#!/usr/bin/env node
import { runCli } from '../src/cli/main.ts';
import { processIo } from '../src/cli/process-io.ts';

// Not process.exit: what is written to a pipe is still on its way.
process.exitCode = await runCli(process.argv.slice(2), processIo());
