import { checkpointSigner } from '../../audit/checkpoint.ts';
import { parseNote, signaturesBy } from '../../audit/note.ts';
import { auditReader } from '../../audit/read.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { openExistingKeyring, type Keyring } from '../../identity/keyring.ts';
import type { Database } from '../../store/database.ts';

/**
 * The keys of the gateway whose database this is. With others a worker would do harm while it seems to work: the custodian
 * refuses its tickets until parts are given up, and nobody else opens the masks and requests it seals.
 * Errors: CONFIG_INVALID, CONFIG_INSECURE, STORE_UNAVAILABLE.
 */
export async function openPlatformKeys(folder: string, database: Database, logOrigin: string, clock: Clock): Promise<Keyring> {
  const keyring = openExistingKeyring(folder, clock);
  const { key } = await checkpointSigner(logOrigin, keyring.logSigningKey);
  const newest = await auditReader(database).checkpoint().catch((error: unknown) => {
    if (isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND')) return undefined; // a platform that has just begun
    throw error;
  });
  if (newest === undefined || signaturesBy(parseNote(newest), key).length > 0) return keyring;
  throw new VeilgateError('CONFIG_INVALID', 'VEILGATE_KEYS_FOLDER or VEILGATE_AUDIT_LOG_ORIGIN is not that of the gateway whose database this is: a worker needs both as they are there.', { settings: ['VEILGATE_KEYS_FOLDER', 'VEILGATE_AUDIT_LOG_ORIGIN'] });
}
