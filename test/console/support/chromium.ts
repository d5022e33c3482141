import type { Browser } from 'playwright-core';
import { chromiumAdvice, openChromium as open } from '../../../scripts/chromium.ts';

/**
 * The system's own browser; tests without one are skipped and say how to get it. In CI its absence is a failure.
 * @returns undefined where there is none
 */
export async function openChromium(): Promise<Browser | undefined> {
  const browser = await open(process.env['VEILGATE_CHROMIUM'], ['--disable-site-isolation-trials']); // or it starts a process in advance for each page there might be
  if (browser !== undefined) return browser;
  if (process.env['CI'] !== undefined) throw new Error(chromiumAdvice);
  console.error(chromiumAdvice);
  return undefined;
}
