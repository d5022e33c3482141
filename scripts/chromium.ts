import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** What to do where there is none. */
export const chromiumAdvice = 'The console needs a Chromium here: `apt-get install chromium`, or name one in VEILGATE_CHROMIUM.';

/**
 * The system's own browser, for pages of our own.
 * @param named where it is said to be @param switches more than the usual @returns undefined where there is none
 */
export async function openChromium(named: string | undefined, switches: readonly string[] = []): Promise<Browser | undefined> {
  const executablePath = [named, ...places].find((place) => place !== undefined && existsSync(place));
  if (executablePath === undefined) return undefined;
  // without its sandbox, because root has none: it opens our own pages only
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', ...switches] });
}
