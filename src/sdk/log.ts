import { fromBase64, type Bytes } from '../audit/bytes.ts';
import { openCheckpoint, type LogTrust, type OpenedCheckpoint } from '../audit/checkpoint.ts';
import { parseVerifierKey } from '../audit/note.ts';
import { verifyConsistency } from '../audit/tree.ts';
import { isVeilgateError, VeilgateError } from '../errors.ts';
import type { GatewayCalls } from './connection.ts';

/** The public log as anybody reads it; nothing is checked here. */
export function logClient({ call, send }: Pick<GatewayCalls, 'call' | 'send'>) {
  const text = async (path: string) => (await send({ method: 'GET', path })).text();
  return {
    /** Verifier key as the platform publishes it: one line. */
    key: async () => (await text('/v1/log/key')).trim(),
    /** The newest signed note. Errors: AUDIT_ENTRY_NOT_FOUND while there is none. */
    checkpoint: () => text('/v1/log/checkpoint'),
    /** RFC 6962, from a log of at least one entry. Errors: AUDIT_RANGE_INVALID, AUDIT_UNAVAILABLE. */
    async consistency(from: number, to: number): Promise<readonly Bytes[]> {
      const { hashes } = await call<{ readonly hashes: readonly string[] }>({ method: 'GET', path: `/v1/log/consistency?from=${from}&to=${to}` });
      const read = hashes.map(fromBase64);
      if (read.includes(undefined)) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The gateway serves a proof that cannot be read: try again later.');
      return read as readonly Bytes[];
    },
  };
}

/** Trust in a log's keys, of which the first is in use. Errors: CONFIG_INVALID for what is no verifier key, or keys of several logs. */
export async function logTrust(keys: readonly string[]): Promise<LogTrust> {
  const logKeys = await Promise.all(keys.map(parseVerifierKey));
  const [first, ...others] = logKeys;
  if (first === undefined || others.some(({ name }) => name !== first.name)) throw new VeilgateError('CONFIG_INVALID', 'Trust is in the keys of one log: name at least one, and keys of no other log.');
  return { origin: first.name, logKeys };
}

/** What the newest checkpoint says of one that was seen before. */
export type Continuation =
  | { readonly kind: 'continues'; readonly newest: OpenedCheckpoint; readonly since: number | null }
  | { readonly kind: 'not_signed' | 'rolled_back' | 'forked'; /** The note that shows it. */ readonly note: string };

/**
 * Whether the log still begins with what was seen of it before: few hashes, however long it is. Entries and records are not
 * looked at.
 * @param remembered signed note that was found right before; null: there is none
 * Errors: AUDIT_CHECKPOINT_INVALID for the remembered one, AUDIT_ENTRY_NOT_FOUND, AUDIT_UNAVAILABLE and what the gateway says: no verdict.
 */
export async function checkContinuation(calls: Pick<GatewayCalls, 'call' | 'send'>, trust: LogTrust, remembered: string | null): Promise<Continuation> {
  const log = logClient(calls);
  const before = remembered === null ? undefined : await openCheckpoint(remembered, trust);
  const note = await log.checkpoint();
  const newest = await openCheckpoint(note, trust).catch((error: unknown) => {
    if (isVeilgateError(error, 'AUDIT_CHECKPOINT_INVALID')) return undefined;
    throw error;
  });
  if (newest === undefined) return { kind: 'not_signed', note };
  if (before === undefined || before.size === 0) return { kind: 'continues', newest, since: before?.size ?? null };
  if (newest.size < before.size) return { kind: 'rolled_back', note };
  const proof = newest.size === before.size ? [] : await log.consistency(before.size, newest.size);
  const isProven = await verifyConsistency({ from: before.size, fromRoot: before.root, to: newest.size, toRoot: newest.root, proof }).then(() => true, () => false);
  return isProven ? { kind: 'continues', newest, since: before.size } : { kind: 'forked', note };
}
