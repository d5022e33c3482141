/**
 * `npm run bench -- console`: how fast is the largest page of the console, the grid of 2,000 fields × 8 purposes?
 * A real gateway with a policy folder of that size, an officer signed in with a second factor, the system's Chromium
 * without a window. Pages come from dist/console: `npm run build` first. Nothing is substituted. docs/performance.md.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { consoleFolder } from '../../src/gateway/console/console-files.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import { connect } from '../../src/sdk/connection.ts';
import { chromiumAdvice, openChromium } from '../chromium.ts';
import { takeUp } from '../demo/person.ts';
import { benchPlatform, startBenchGateway, type BenchPlatform } from './load/platform.ts';
import { writeLargePack } from './load/large-pack.ts';
import type { Bench } from './main.ts';
import { figure, quantile } from './report.ts';

const fieldsMin = 2000;
const gridPath = '/console/compliance/policy';
const password = 'correct horse battery staple';

export const bench: Bench = async ({ quick, say, chromium }) => {
  if (!existsSync(path.join(consoleFolder, 'index.html'))) throw new Error('the console is not built: run `npm run build`');
  const browser = await openChromium(chromium);
  if (browser === undefined) throw new Error(chromiumAdvice);
  const platform = await benchPlatform({ enterprises: 10 });
  try {
    const folder = path.join(platform.folder, 'policies');
    const { fields, purposes } = writeLargePack(folder, fieldsMin);
    const gateway = await startBenchGateway(platform, 1, { VEILGATE_POLICY_FOLDER: folder });
    try {
      say(`${fields} fields × ${purposes} purposes = ${fields * purposes} cells`);
      return await measure(browser, platform, { loads: quick ? 1 : 5, frames: quick ? 60 : 600 }, say);
    } finally {
      await gateway.stop();
    }
  } finally {
    await browser.close();
    await platform.close();
  }
};

async function measure(browser: Browser, platform: BenchPlatform, { loads, frames }: { readonly loads: number; readonly frames: number }, say: (line: string) => void) {
  const session = await officerSession(platform);
  const address = `http://127.0.0.1:${platform.issuerPort}`;
  const interactive: number[] = [];
  const matrixMs: number[] = [];
  let frameMs: readonly number[] = [];
  let bundle = { gzipped: 0, plain: 0 };
  for (let load = 0; load < loads; load += 1) {
    // a browser of its own each time: nothing is cached
    const context = await signedIn(browser, address, session);
    const page = await context.newPage();
    const files = filesOf(page);
    interactive.push(await timeToGrid(page, address + gridPath));
    bundle = await files();
    matrixMs.push(await page.evaluate<number>(timeOfMatrix));
    if (load === loads - 1) frameMs = await scrollFrames(page, frames);
    await context.close();
  }
  const sorted = interactive.toSorted((one, other) => one - other);
  const spelt = (times: readonly number[]) => times.map((ms) => ms.toFixed(0)).join(', ');
  say(`until a cell could be used: ${spelt(interactive)} ms, of which the policy's answer took ${spelt(matrixMs)} ms`);
  say(`scripts and styles ${(bundle.plain / 1000).toFixed(0)} kB, ${(bundle.gzipped / 1000).toFixed(0)} kB gzipped`);
  const p95 = quantile(frameMs.toSorted((one, other) => one - other), 0.95);
  return [
    figure('console.interactive_ms', quantile(sorted, 0.5), 'ms', '<= 2000'),
    figure('console.bundle_kb', bundle.gzipped / 1000, 'kB', '<= 400'),
    figure('console.grid_frame_ms_p95', p95, 'ms', '<= 33'),
  ];
}

/** An officer takes an invitation up in forms, as people do. @returns the session's cookie */
async function officerSession(platform: BenchPlatform): Promise<string> {
  const [officer] = platform.officers;
  if (officer === undefined) throw new Error('there is no officer');
  const invitation = await accountsClient(await connect({ gateway: platform.gatewayUrl, credentials: officer, scope: 'compliance' })).invite('Officer of the bench');
  const { browser } = await takeUp(invitation, { username: 'officer.bench', password });
  const session = browser.cookie('veilgate_session');
  if (session === undefined) throw new Error('nobody is signed in');
  return session;
}

async function signedIn(browser: Browser, address: string, session: string): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
  await context.addCookies([{ name: 'veilgate_session', value: session, url: address, httpOnly: true, sameSite: 'Lax' }]);
  return context;
}

/** Scripts and styles of the page, compressed as a proxy in front would. */
function filesOf(page: Page): () => Promise<{ readonly gzipped: number; readonly plain: number }> {
  const bodies: Promise<Buffer>[] = [];
  page.on('response', (response) => { if (/\.(js|css)$/.test(new URL(response.url()).pathname)) bodies.push(response.body()); });
  return async () => {
    const files = await Promise.all(bodies);
    return { gzipped: files.reduce((sum, file) => sum + gzipSync(file).length, 0), plain: files.reduce((sum, file) => sum + file.length, 0) };
  };
}

/** Milliseconds from navigation to the frame after the first cell is there and takes the focus. */
async function timeToGrid(page: Page, url: string): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' });
  return page.evaluate<number>(timeToFocus);
}

/** Milliseconds between frames while the grid is scrolled from its top to its end and back. */
async function scrollFrames(page: Page, frames: number): Promise<readonly number[]> {
  return page.evaluate<number[]>(`(${scrolling})(${frames})`);
}

// what runs in the page is text: scripts are checked without a browser's types
const timeToFocus = `new Promise((done) => {
  const look = () => {
    const cell = document.querySelector('[role="gridcell"][tabindex="0"]');
    if (cell === null) return requestAnimationFrame(look);
    cell.focus();
    return requestAnimationFrame(() => done(performance.now()));
  };
  look();
})`;
const timeOfMatrix = "performance.getEntriesByType('resource').find(({ name }) => name.includes('/matrix'))?.duration ?? 0";
const scrolling = `(frames) => new Promise((done) => {
  const frame = document.querySelector('[role="grid"]').parentElement;
  const length = frame.scrollHeight - frame.clientHeight;
  const times = [];
  let last = performance.now();
  const step = (now) => {
    times.push(now - last);
    last = now;
    const way = (times.length / frames) * 2;
    frame.scrollTop = length * (way <= 1 ? way : 2 - way);
    if (times.length < frames) requestAnimationFrame(step);
    else done(times.slice(1));
  };
  requestAnimationFrame(step);
})`;
