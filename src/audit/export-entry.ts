import type { PolicyVersion, SubjectId } from '../vocabulary.ts';
import type { Common, FieldOutcome } from './entry.ts';

/** An enterprise took its own data along. Written before the first value leaves; it need not have arrived. */
export type OwnExported = Common<'export.own'> & {
  readonly subject: SubjectId;
  /** Id of the export, as its manifest names it. */
  readonly export: string;
  readonly form: 'ndjson' | 'csv';
  /** Dataset, or part of the history; null: everything. */
  readonly part: string | null;
  /** Digest of the rules for self access (docs/formats/export.md). */
  readonly policy: PolicyVersion;
  /** What was decided of each field. */
  readonly outcomes: readonly FieldOutcome[];
};
