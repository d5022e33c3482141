import type { ReactNode } from 'react';

/** Colours never stand alone: the text says the same. */
export type Tone = 'open' | 'partly' | 'closed' | 'neutral' | 'good' | 'bad' | 'warning' | 'accent';

export function Tag({ tone = 'neutral', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return <span className={`tag ${tone}`}>{children}</span>;
}
