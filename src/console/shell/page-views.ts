import { lazy, type ComponentType } from 'react';
import type { Page } from './area.ts';

/** A page's script did not come. */
export class NotLoaded extends Error {}

const views = new Map<Page['load'], ComponentType>();

/** Loaded when first opened, and kept. Its errors: NotLoaded, for good: browsers do not ask again for a script that did not come */
export function viewOf(load: Page['load']): ComponentType {
  const known = views.get(load) ?? lazy(() => load().catch((cause: unknown) => { throw new NotLoaded('a page could not be loaded', { cause }); }));
  views.set(load, known);
  return known;
}

/** Loads pages before they are opened, one after the other: whoever loses the network for a moment can go on to any of them. */
export async function loadAhead(loads: readonly Page['load'][]): Promise<void> {
  try {
    for (const load of loads) await load();
  } catch {
    // whoever opens this page is told; the others are not tried, so that they can come later
  }
}
