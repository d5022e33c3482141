import type { PolicyCondition, PolicyMethod, PolicyOffer, PolicyOpening, PolicySetting, PolicyTier } from '../../sdk/policy-cells.ts';
import type { cellTexts } from './cell-texts.ts';

type CellText = keyof (typeof cellTexts)['en'];

/** What a person chose for one reach of consent: `keep`, `nothing`, or the key of an offer. */
export type Choice = 'keep' | 'nothing' | (string & {});

/** Names an opening whatever its parameters: `mask keep_ends`. */
export function openingKey({ use, disposition, treatment, comparison }: PolicyOpening): string {
  return [use, disposition ?? '', (treatment ?? comparison)?.method ?? ''].join(' ').trimEnd();
}

/** The text that names an opening. */
export function openingText({ use, disposition, treatment, comparison }: PolicyOpening): CellText {
  if (use === 'score' || use === 'aggregate') return use;
  const method = (treatment ?? comparison)?.method;
  if (method === undefined) return disposition === 'clear' ? 'clear' : 'nothing';
  if (method === 'band') return 'bandMethod';
  return method === 'same_band' ? 'same_bandMethod' : method as CellText;
}

const openness: Readonly<Record<string, number>> = { token: 1, band: 2, mask: 3, clear: 4 };

/** Offers for one reach of consent, most open first. */
export function offersAt(offers: readonly PolicyOffer[], tier: PolicyTier): PolicyOffer[] {
  return offers.filter(({ consent }) => consent.includes(tier)).toSorted((a, b) => (openness[b.opening.disposition ?? ''] ?? 0) - (openness[a.opening.disposition ?? ''] ?? 0));
}

/** Parameters of a treatment or comparison, without its method. */
export function methodOf(opening: PolicyOpening): PolicyMethod | undefined {
  return opening.treatment ?? opening.comparison;
}

export function withMethod(opening: PolicyOpening, method: PolicyMethod): PolicyOpening {
  return opening.treatment === undefined ? { ...opening, comparison: method } : { ...opening, treatment: method };
}

/** A setting with its condition; undefined where the reach of consent stays as it is. */
export function settingOf(choice: Choice, opening: PolicyOpening | undefined, when: PolicyCondition | undefined): PolicySetting | undefined {
  if (choice === 'keep') return undefined;
  if (choice === 'nothing' || opening === undefined) return null;
  return { opening, ...(when === undefined ? {} : { when }) };
}
