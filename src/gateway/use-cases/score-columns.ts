import { VeilgateError } from '../../errors.ts';
import { columnsOf, type Column } from '../../scoring/feature/columns.ts';
import { positionsOf } from '../../scoring/feature/positions.ts';
import type { Feature, FeatureId, Position } from '../../scoring/protocol.ts';
import { isFilled } from '../../scoring/run/outputs.ts';
import { batcher } from '../../store/batch.ts';
import type { Sql } from '../../store/database.ts';
import type { SubjectId } from '../../vocabulary.ts';

export type ColumnsAsked = {
  readonly subject: SubjectId;
  /** Id of the custodian's key. */
  readonly key: string;
  readonly features: readonly Feature[];
};

/** Where an enterprise stands, and the column of each feature there, in the order asked. */
export type FoundColumns = { readonly position: Position; readonly digests: readonly string[] };

/** All columns of a block, when there are all and each holds the slot. */
export function digestsFor(columns: readonly Column[], { block, slot }: Position, features: readonly FeatureId[]): readonly string[] | undefined {
  const here = new Map(columns.filter((column) => column.block === block).map((column) => [column.feature, column]));
  const found = features.map((feature) => here.get(feature));
  return found.every((column) => column !== undefined && isFilled(column.filled, slot)) ? found.map((column) => (column as Column).packedDigest) : undefined;
}

/**
 * Positions and columns for all scores that want them at this moment: two statements for each key in use.
 * @returns undefined for an enterprise that has no position, or lacks a value of any feature
 */
export function batchedColumns(sql: Sql, onBatch: (items: number) => void): (asked: ColumnsAsked) => Promise<FoundColumns | undefined> {
  return batcher<ColumnsAsked, FoundColumns | undefined>(
    async (asked) => {
      onBatch(asked.length);
      const positions = await positionsOf(sql, [...new Set(asked.map(({ subject }) => subject))]);
      const keys = [...new Set(asked.map(({ key }) => key))];
      const columns = new Map(await Promise.all(keys.map(async (key) => {
        const placed = asked.filter((one) => one.key === key && positions.has(one.subject));
        const features = new Map(placed.flatMap((one) => one.features.map((feature) => [feature.id, feature] as const)));
        const blocks = [...new Set(placed.map(({ subject }) => (positions.get(subject) as Position).block))];
        return [key, placed.length === 0 ? [] : await columnsOf(sql, { key, features: [...features.values()], blocks })] as const;
      })));
      return asked.map(({ subject, key, features }) => {
        const position = positions.get(subject);
        const digests = position === undefined ? undefined : digestsFor(columns.get(key) ?? [], position, features.map(({ id }) => id));
        return position === undefined || digests === undefined ? undefined : { position, digests };
      });
    },
    { maxItems: 64, maxWaiting: 4096, concurrency: 2, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.') },
  );
}
