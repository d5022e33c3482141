import { appendRecords } from '../audit/append.ts';
import { checkpointSigner } from '../audit/checkpoint.ts';
import { recordHead } from '../audit/entry.ts';
import { formatVerifierKey } from '../audit/note.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { loadHe } from '../he/runtime.ts';
import { openCustodianKeyring } from '../identity/keyring.ts';
import type { Database } from '../store/database.ts';
import type { PartyId, PublicJwk } from '../vocabulary.ts';
import { destroyHeKey, makeHeKey, readHeKeys, type HeKey } from './he-keys.ts';
import type { CustodianConfig } from './settings.ts';
import { signStatement } from './statement.ts';

/** What a custodian's operator does with its keys, besides the register of banks (banks.ts). */

const operator = 'operator' as PartyId;

/** Makes a key pair and says so in the log. Errors: CONFIG_*, STORE_UNAVAILABLE. */
export async function makeLoggedKey(folder: string, database: Database, clock: Clock): Promise<HeKey> {
  const key = makeHeKey(folder, await loadHe(), clock);
  await database.transaction('make key', (tx) => appendRecords(tx, [{ ...recordHead('custodian.key_made', clock.nowMs(), operator), ...shown(key) }]));
  return key;
}

/** Destroys an older key pair, for good, and says so in the log beforehand. Errors: CONFIG_*, STORE_UNAVAILABLE. */
export async function retireLoggedKey(folder: string, id: string, database: Database, clock: Clock): Promise<HeKey> {
  const [newest, ...older] = readHeKeys(folder);
  const key = older.find((candidate) => candidate.id === id);
  if (newest === undefined || key === undefined) throw new VeilgateError('CONFIG_INVALID', 'Only an older key can be retired: give its id, and make a new one first if it is the newest.');
  await database.transaction('retire key', (tx) => appendRecords(tx, [{ ...recordHead('custodian.key_retired', clock.nowMs(), operator), ...shown(key) }]));
  return destroyHeKey(folder, id);
}

function shown({ id, set, digest }: HeKey) {
  return { key: id, parameters: set.id, digest };
}

/** What others must know of a custodian, handed over by a way of trust. */
export type CustodianStatement = {
  readonly id: string;
  /** What a gateway pins. */
  readonly statementKey: PublicJwk;
  /** What an auditor of its log needs. */
  readonly logVerifierKey: string;
  /** Newest first. `statement` is absent while no gateway is configured: it is made for one. */
  readonly keys: readonly { readonly id: string; readonly parameters: string; readonly created: string; readonly digest: string; readonly statement?: string }[];
};

/** Makes the statement key and the log key when there are none. Errors: CONFIG_*. */
export async function custodianStatement(config: Pick<CustodianConfig, 'id' | 'keysFolder' | 'gatewayUrl' | 'logOrigin'>, clock: Clock): Promise<CustodianStatement> {
  const keyring = openCustodianKeyring(config.keysFolder, clock);
  const { gatewayUrl } = config;
  const facts = gatewayUrl === undefined ? undefined : { id: config.id, gatewayUrl, signer: keyring.statementSigner, clock };
  return {
    id: config.id,
    statementKey: keyring.statementKey,
    logVerifierKey: formatVerifierKey((await checkpointSigner(config.logOrigin, keyring.logSigningKey)).key),
    keys: await Promise.all(readHeKeys(config.keysFolder).map(async (key) => ({
      id: key.id, parameters: key.set.id, created: key.created, digest: key.digest, ...(facts === undefined ? {} : { statement: await signStatement(key, facts) }),
    }))),
  };
}
