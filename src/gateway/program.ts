import { provideBase64 } from '../base64.ts';
import { isVeilgateError } from '../errors.ts';
import { createLog, installCrashHandlers, type Log } from './log.ts';

/** sysexits.h: a setting is missing or wrong. Starting again does not help. */
const configurationFault = 78;

/** What every main file does around its own work: `--help`, and a fault at the start in one line with its exit code. */
export async function runProgram(options: readonly string[], help: () => string, run: () => Promise<void>): Promise<void> {
  provideBase64();
  if (options.includes('--help')) {
    console.log(help());
    process.exit(0);
  }
  try {
    await run();
  } catch (error) {
    console.error(isVeilgateError(error) ? `${error.code}: ${error.message}` : error);
    process.exit(isVeilgateError(error) && error.code.startsWith('CONFIG') ? configurationFault : 1);
  }
}

/** The log of this process, what happens in a crash, and how the process ends: never before its log is written. */
export function openProgramLog({ logLevel, logFile }: { readonly logLevel: Parameters<typeof createLog>[0]['level']; readonly logFile: string | undefined }): { readonly log: Log; readonly exit: (code: number) => void } {
  const log = createLog({ level: logLevel, ...(logFile === undefined ? {} : { file: logFile }) });
  const exit = (code: number) => void log.close().finally(() => process.exit(code));
  installCrashHandlers(log, exit);
  return { log, exit };
}

/**
 * Runs what `start` starts until the process is told to stop; told twice, it stops at once. As a child of a gateway it
 * shares a terminal with it, which says when, and it ends with that gateway, however early: also while it still starts.
 */
export async function runUntilStopped<Started extends { readonly stop: () => Promise<unknown>; readonly reload: () => void }>(exit: (code: number) => void, start: () => Promise<Started>): Promise<Started | undefined> {
  let started: Started | undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) return exit(130);
    stopping = true;
    (started?.stop() ?? Promise.resolve()).then(() => exit(0), () => exit(1));
  };
  process.on('SIGTERM', stop);
  if (process.send === undefined) process.on('SIGINT', stop);
  else process.on('SIGINT', () => {}).on('disconnect', () => { if (!stopping) stop(); });
  if (process.send !== undefined && !process.connected) {
    stop();
    return undefined;
  }
  started = await start();
  if (process.platform !== 'win32') process.on('SIGHUP', () => started?.reload());
  return started;
}
