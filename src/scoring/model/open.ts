import type { SubjectId } from '../../vocabulary.ts';
import type { Model, OpenedScore } from '../protocol.ts';
import { unreadable } from '../run/halves.ts';

/** What the gateway says of a model to those who may use it: the document, and between which raw values each reason group lies. */
export type OpenableModel = { readonly model: Model; readonly reasonRanges: readonly { readonly low: number; readonly high: number }[] };

/** What combineHalves gives: `values[output][place]` mod `modulus`; outputs are the score, then the reason groups. */
export type Unmasked = { readonly modulus: number; readonly subjects: readonly SubjectId[]; readonly values: readonly Uint32Array[] };

/** Reasons named at most. */
const reasonsMax = 4;

/**
 * Score, band and reasons of each enterprise. Pure. A reason group outside its range means that something else was
 * computed than the model says. Errors: SCORE_UNREADABLE when values and model do not belong together.
 */
export function openScore({ model, reasonRanges }: OpenableModel, { modulus, subjects, values }: Unmasked): OpenedScore[] {
  if (values.length !== 1 + model.reasons.length || reasonRanges.length !== model.reasons.length || values.some(({ length }) => length !== subjects.length)) throw unreadable();
  const [scores = new Uint32Array(), ...groups] = values;
  return subjects.map((subject, place) => {
    const raw = centred(scores[place] as number, modulus);
    const points = groups.map((group) => centred(group[place] as number, modulus));
    if (points.some((each, at) => each < (reasonRanges[at]?.low ?? 0) || each > (reasonRanges[at]?.high ?? 0))) throw unreadable();
    return { subject, raw, score: raw / model.scale, band: bandOf(model, raw / model.scale), reasons: reasonsOf(model, reasonRanges, points) };
  });
}

/** Residues stand for the integers around zero. */
function centred(residue: number, modulus: number): number {
  return residue > (modulus - 1) / 2 ? residue - modulus : residue;
}

/** The last band that begins at or below the score. */
export function bandOf({ bands }: Pick<Model, 'bands'>, score: number): string {
  const band = bands.findLast(({ from }) => from === null || from <= score);
  if (band === undefined) throw unreadable();
  return band.code;
}

/** Groups whose points fall furthest below their maximum, the costliest first; of equals the one the model names first. */
export function reasonsOf({ reasons }: Pick<Model, 'reasons'>, ranges: OpenableModel['reasonRanges'], points: readonly number[]): readonly string[] {
  if (reasons.length === 0) return [];
  return reasons
    .map(({ code }, at) => ({ code, lost: (ranges[at]?.high ?? 0) - (points[at] ?? 0) }))
    .filter(({ lost }) => lost > 0)
    .toSorted((one, other) => other.lost - one.lost)
    .slice(0, reasonsMax)
    .map(({ code }) => code);
}
