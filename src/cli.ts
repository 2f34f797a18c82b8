#!/usr/bin/env node
import { runCommandLine } from './commands/run-command-line';

runCommandLine(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
