import type { Tone } from '../parts/tag.tsx';

const tones: Readonly<Record<string, Tone>> = { clear: 'open', mask: 'partly', band: 'partly', token: 'partly', verify: 'partly', score: 'closed', aggregate: 'closed', withhold: 'neutral' };

/** How open a disposition is, as a colour beside its words. */
export const toneOf = (disposition: string): Tone => tones[disposition] ?? 'neutral';
