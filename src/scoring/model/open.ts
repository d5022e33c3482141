import type { SubjectId } from '../../vocabulary.ts';
import type { Model, OpenedScore } from '../protocol.ts';

/** What the gateway says of a model to those who may use it: the document, and between which raw values each reason group lies. */
export type OpenableModel = { readonly model: Model; readonly reasonRanges: readonly { readonly low: number; readonly high: number }[] };

/** What combineHalves gives: `values[output][place]` mod `modulus`; outputs are the score, then the reason groups. */
export type Unmasked = { readonly modulus: number; readonly subjects: readonly SubjectId[]; readonly values: readonly Uint32Array[] };

/** Score, band and reasons of each enterprise. Pure. Errors: SCORE_UNREADABLE when values and model do not belong together. */
export function openScore(_openable: OpenableModel, _unmasked: Unmasked): OpenedScore[] {
  return [];
}
