import { VeilgateError } from '../../errors.ts';
import type { SubjectId } from '../../vocabulary.ts';
import { pointBytes, type Group } from './group.ts';

/**
 * Private set intersection by Diffie-Hellman (Meadows 1986; Huberman, Franklin, Hogg 1999): H(code)^(a·b) is the same
 * whoever blinds first. The partner learns at which positions of the cohort its own customers stand, and nothing
 * about the rest but how many there are; the platform learns how long the partner's list is, and nothing else.
 * Secrets are fresh for each run: two runs cannot be linked by their points.
 */
export type Alignment = {
  /** Points of codes, blinded with one's own secret; one after another, 32 bytes each. */
  readonly blind: (secret: Uint8Array, codes: readonly SubjectId[]) => Uint8Array<ArrayBuffer>;
  /** The other side's points, blinded a second time. Errors: COHORT_POINT_REFUSED. */
  readonly blindAgain: (secret: Uint8Array, points: Uint8Array) => Uint8Array<ArrayBuffer>;
};

/** Points one call blinds at most: 8,192 take about a second. */
export const pointsMax = 8_192;

/** @param run the run's id: points of one run mean nothing in another */
export function createAlignment(group: Group, run: string): Alignment {
  const domain = new TextEncoder().encode(`veilgate-cohort-v1 ${run}`);
  const text = new TextEncoder();
  return {
    blind(secret, codes) {
      refuseTooMany(codes.length);
      const points = new Uint8Array(codes.length * pointBytes);
      codes.forEach((code, at) => points.set(group.multiply(secret, group.hashToPoint(text.encode(code), domain)), at * pointBytes));
      return points;
    },
    blindAgain(secret, points) {
      if (points.length % pointBytes !== 0) throw new VeilgateError('COHORT_POINT_REFUSED', 'Blinded codes have 32 bytes each: send whole ones.');
      refuseTooMany(points.length / pointBytes);
      const again = new Uint8Array(points.length);
      for (let at = 0; at < points.length; at += pointBytes) again.set(group.multiply(secret, points.subarray(at, at + pointBytes)), at);
      return again;
    },
  };
}

function refuseTooMany(points: number): void {
  if (points > pointsMax) throw new VeilgateError('COHORT_POINT_REFUSED', `At most ${pointsMax} blinded codes are taken at once: send them in parts.`);
}

/**
 * Where the partner's codes stand in the cohort.
 * @param own the partner's points blinded by both, in the order of its list
 * @param cohort the cohort's points blinded by both, in the order of positions
 * @returns for each of the partner's codes its position; undefined for a code that is not in the cohort, whatever the reason
 */
export function match(own: Uint8Array, cohort: Uint8Array): (number | undefined)[] {
  const positions = new Map<string, number>();
  for (let at = 0; at < cohort.length; at += pointBytes) positions.set(keyOf(cohort, at), at / pointBytes);
  return Array.from({ length: own.length / pointBytes }, (_, at) => positions.get(keyOf(own, at * pointBytes)));
}

/** Sixteen bytes tell 10^6 × 10^6 points apart but for a chance of 2^-88. */
function keyOf(points: Uint8Array, at: number): string {
  return String.fromCharCode(...points.subarray(at, at + 16));
}
