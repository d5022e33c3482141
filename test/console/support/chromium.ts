import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const advice = 'The console\'s tests need a Chromium: `apt-get install chromium`, or name one in VEILGATE_CHROMIUM.';

/**
 * The system's own browser; tests without one are skipped and say how to get it. In CI its absence is a failure.
 * @returns undefined where there is none
 */
export async function openChromium(): Promise<Browser | undefined> {
  const executablePath = [process.env['VEILGATE_CHROMIUM'], ...places].find((place) => place !== undefined && existsSync(place));
  if (executablePath === undefined) {
    if (process.env['CI'] !== undefined) throw new Error(advice);
    console.error(advice);
    return undefined;
  }
  // without its sandbox, because root has none: it opens our own pages only
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'] });
}
