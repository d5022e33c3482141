#!/usr/bin/env node
/** `veilgate …`: the command line client. The only file of it that reads the environment. */
import { provideBase64 } from '../base64.ts';
import { run } from './run.ts';

provideBase64();

const columnsOf = (stream: NodeJS.WriteStream) => (stream.isTTY ? stream.columns : 0);

// `veilgate … | head` is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await run(process.argv.slice(2), {
  stdout: { write: (text) => process.stdout.write(text), columns: columnsOf(process.stdout) },
  stderr: { write: (text) => process.stderr.write(text), columns: columnsOf(process.stderr) },
  stdin: process.stdin,
  env: process.env,
});
