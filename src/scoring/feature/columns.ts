import type { Sql } from '../../store/database.ts';
import type { Feature, FeatureId } from '../protocol.ts';

/** One stored column of one block, without its bytes. */
export type Column = {
  readonly feature: FeatureId;
  readonly block: number;
  readonly revision: number;
  /** SHA-256 of the ciphertext, lower-case hex. */
  readonly digest: string;
  /** slots/8 bytes: bit i, least significant first, says that slot i holds an enterprise that may be scored. */
  readonly filled: Uint8Array;
};

export type ColumnChoice = {
  /** Id of the custodian's key. */
  readonly key: string;
  /** Columns encoded by another declaration than the feature has now are left out. */
  readonly features: readonly Pick<Feature, 'id' | 'declaration'>[];
  readonly blocks: readonly number[];
};

/** Which columns there are, in no particular order: who needs all of a block must look whether all came. */
export async function columnsOf(_sql: Sql, _choice: ColumnChoice): Promise<Column[]> {
  return [];
}

/** The ciphertexts of many columns at once, in the order of `digests`. Errors: FEATURE_BLOCK_MISSING when one was replaced or removed meanwhile. */
export async function ciphertextsOf(_sql: Sql, _digests: readonly string[]): Promise<Uint8Array[]> {
  return [];
}
