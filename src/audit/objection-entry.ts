import type { FieldRef, GrantId, InstitutionId, SubjectId } from '../vocabulary.ts';
import type { Common, Digest } from './entry.ts';

/** What the log says of objections and of notices about corrected values. What people wrote stands as a digest only. */
export type ObjectionRecord =
  | (Common<ObjectionStepKind> & ObjectionCommon & {
    /** Over the canonical JSON of {objection, action, words} (docs/formats/objection.md); null where nothing was written. */
    readonly words: Digest | null;
  })
  /** That an institution was told: a field it received was corrected. */
  | (Common<'notice.issued' | 'notice.acknowledged'> & {
    readonly notice: string; readonly objection: string; readonly institution: InstitutionId; readonly subject: SubjectId; readonly grant: GrantId; readonly field: FieldRef;
  });

/** One for each step of src/objection/steps.ts. */
export type ObjectionStepKind =
  | 'objection.submitted' | 'objection.accepted' | 'objection.returned' | 'objection.corrected' | 'objection.remedied' | 'objection.rejected' | 'objection.closed';

type ObjectionCommon = { readonly objection: string; readonly subject: SubjectId } & (
  /** About a recorded value. */
  | { readonly field: FieldRef }
  /** About an access: index of its entry. */
  | { readonly entry: number }
);
