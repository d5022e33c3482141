import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { consoleFolder } from '../../../src/gateway/console/console-files.ts';
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from '../../support/gateway.ts';
import { openChromium } from './chromium.ts';
import { signedIn, type Person } from './people.ts';

/** A platform with its consoles, and a real browser to look at them. */
export type TestConsole = {
  readonly platform: TestPlatform;
  readonly browser: Browser;
  /** A tab of a browser of its own in which this person is signed in; faults of the page fail the test at `close`. */
  readonly open: (person: Person | undefined, path: string, options?: { readonly language?: 'en' | 'zh'; readonly width?: number }) => Promise<Page>;
  /** Faults of pages so far, which then no longer fail the test: for those that are meant to happen. */
  readonly takeFaults: () => readonly string[];
  readonly close: () => Promise<void>;
};

const screenshots = path.resolve(import.meta.dirname, '../../../.data/screenshots');
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Undefined where there is no browser: `if (console === undefined) this.skip()`. */
export async function startTestConsole(settings: Readonly<Record<string, string>> = {}, options: TestPlatformOptions = {}): Promise<TestConsole | undefined> {
  assert.ok(existsSync(path.join(consoleFolder, 'index.html')), 'the console is not built: run `npm run build`');
  const browser = await openChromium();
  if (browser === undefined) return undefined;
  const platform = await startTestPlatform(settings, options);
  const contexts: BrowserContext[] = [];
  const faults: string[] = [];
  return {
    platform, browser,
    async open(person, address, { language = 'en', width = 1440 } = {}) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, locale: language === 'en' ? 'en-GB' : 'zh-CN', timezoneId: 'Asia/Shanghai', acceptDownloads: true, reducedMotion: 'reduce' });
      contexts.push(context);
      context.setDefaultTimeout(30_000); // a loaded machine is slow, a missing thing stays missing
      await context.addInitScript((chosen) => { if (localStorage.getItem('veilgate.language') === null) localStorage.setItem('veilgate.language', chosen); }, language);
      if (person !== undefined) await signedIn(context, platform, person);
      const page = await context.newPage();
      page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
      // a policy violation or a failing script shows here; refused requests do so too, and are meant to
      page.on('console', (message) => { if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`${page.url()}: ${message.text()}`); });
      page.on('dialog', (dialog) => { faults.push(`${page.url()} opened a dialog`); void dialog.dismiss(); });
      page.on('request', (request) => { if (!request.url().startsWith(platform.gateway.issuerUrl) && !/^(data|blob):/.test(request.url())) faults.push(`asked ${request.url()}`); });
      await page.goto(platform.gateway.issuerUrl + address);
      return page;
    },
    takeFaults: () => faults.splice(0),
    async close() {
      await Promise.all(contexts.map((context) => context.close()));
      await browser.close();
      await platform.close();
      assert.deepEqual(faults, [], 'faults in pages');
    },
  };
}

type AxeFinding = { readonly id: string; readonly help: string; readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[] };

/** No violation of WCAG 2.2 AA and of good practice, as axe finds them. */
export async function assertAccessible(page: Page): Promise<void> {
  // through the debugger, which the page's Content-Security-Policy does not bind; it stays as long as the document does
  if (!await page.evaluate<boolean>("'axe' in globalThis")) await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { readonly axe: { readonly run: (options: { readonly resultTypes: readonly string[] }) => Promise<{ readonly violations: readonly AxeFinding[] }> } };
    return (await axe.run({ resultTypes: ['violations'] })).violations;
  });
  assert.deepEqual(violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 5).map((node) => `  ${node.html.slice(0, 300)}\n  ${node.failureSummary ?? ''}`).join('\n')}`), [], page.url());
}

/** Waits for so many rows, headings included, and no more: a filter that was just chosen takes its time. */
export async function hasRows(list: Page | Locator, rows: number): Promise<void> {
  await list.getByRole('row').nth(rows).waitFor({ state: 'detached' });
  await list.getByRole('row').nth(rows - 1).waitFor();
  assert.equal(await list.getByRole('row').count(), rows);
}

/** Nothing sticks out to the right: the page need not be scrolled sideways. */
export async function assertFits(page: Page): Promise<void> {
  const { scroll, client } = await page.evaluate<{ readonly scroll: number; readonly client: number }>('({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth })');
  assert.ok(scroll <= client, `${page.url()} is ${scroll - client} px too wide`);
}

/** Kept as an artefact, to be looked at. @param name such as `compliance-grid` */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
}

/** With VEILGATE_TEST_SCREENSHOTS set, pages that are inspected are kept to be looked at: nobody does after each run, and drawing them takes a sixth of it. */
const screenshotsWanted = process.env['VEILGATE_TEST_SCREENSHOTS'] !== undefined;

/** Accessible on a telephone, fitting wide and narrow; with screenshots where they are wanted. Pages as such are looked at by axe in both widths and languages in pages.test.ts. */
export async function inspect(page: Page, name: string): Promise<void> {
  const size = page.viewportSize() ?? { width: 1440, height: 900 };
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 });
    if (width === 360) await assertAccessible(page);
    await assertFits(page);
    if (screenshotsWanted) await screenshot(page, `${name}-${width}`);
  }
  await page.setViewportSize(size);
}
