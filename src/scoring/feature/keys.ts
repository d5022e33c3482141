import type { Sql } from '../../store/database.ts';

/** The custodian's public key that columns are encrypted under. */
export type ScoreKey = {
  readonly keyId: string;
  /** Parameter set, such as `veilgate-score-1`. */
  readonly parameters: string;
  readonly publicKey: Uint8Array;
  /** The custodian's id. */
  readonly custodian: string;
};

/** The key scores are computed under; undefined before the first custodian's key came. */
export async function activeScoreKey(_sql: Sql): Promise<ScoreKey | undefined> {
  return undefined;
}
