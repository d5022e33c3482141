import type { FieldRef, SubjectId } from '../../vocabulary.ts';
import type { Model, OpenedScore } from '../protocol.ts';
import { unreadable } from '../run/halves.ts';

type Range = { readonly low: number; readonly high: number };

/** What the gateway says of a model to those who may use it: the document, and between which raw values the score and each reason group lie. */
export type OpenableModel = { readonly model: Model; /** Absent: not looked at. */ readonly rawRange?: Range; readonly reasonRanges: readonly Range[] };

/** What combineHalves gives: `values[output][place]` mod `modulus`; outputs are the score, then the reason groups. */
export type Unmasked = { readonly modulus: number; readonly subjects: readonly SubjectId[]; readonly values: readonly Uint32Array[]; readonly disputed?: ReadonlyMap<SubjectId, readonly FieldRef[]> };

/** Reasons named at most. */
const reasonsMax = 4;

/**
 * Score, band and reasons of each enterprise. Pure. A score or a reason group outside its range means that something else
 * was computed than the model says, or a column holds what its declaration excludes. Errors: SCORE_UNREADABLE when values and model do not belong together.
 */
export function openScore({ model, rawRange, reasonRanges }: OpenableModel, { modulus, subjects, values, disputed }: Unmasked): OpenedScore[] {
  if (values.length !== 1 + model.reasons.length || reasonRanges.length !== model.reasons.length || values.some(({ length }) => length !== subjects.length)) throw unreadable();
  const [scores = new Uint32Array(), ...groups] = values;
  return subjects.map((subject, place) => {
    const raw = centred(scores[place] as number, modulus);
    const points = groups.map((group) => centred(group[place] as number, modulus));
    if (points.some((each, at) => !isWithin(each, reasonRanges[at])) || (rawRange !== undefined && !isWithin(raw, rawRange))) throw unreadable();
    const fields = disputed?.get(subject);
    return { subject, raw, score: raw / model.scale, band: bandOf(model, raw / model.scale), reasons: reasonsOf(model, reasonRanges, points), ...(fields === undefined ? {} : { disputed: fields }) };
  });
}

function isWithin(value: number, range: Range | undefined): boolean {
  return range !== undefined && value >= range.low && value <= range.high;
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
