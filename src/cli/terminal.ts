import type { Readable } from 'node:stream';

/** One place to write to; `columns` is 0 or absent when nobody watches. */
export type Output = { readonly write: (text: string) => unknown; readonly columns?: number };

/** The world of one run of the command line: a test gives its own. */
export type Terminal = {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin?: Readable;
  /** VEILGATE_CLI_GATEWAY and VEILGATE_CLI_CREDENTIALS are read, and by `custodian` its settings; nothing else. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** What every command is given. */
export type Cli = {
  readonly terminal: Terminal;
  /** Makes the exit code 1 for a command that came to its end and has nothing good to say. */
  readonly fail: () => void;
};
