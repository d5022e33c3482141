import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import type { BankClient } from '../../../src/sdk/bank.ts';
import { inspect, startTestConsole, type TestConsole } from './console.ts';
import { representativeOf, type Person } from './people.ts';
import { loadSampleRecords } from '../../support/sample-records.ts';

const sample = { enterprises: 3, seed: 11 };
export const subject: string = sampleSubject(0, sample.seed);
const otherSubject: string = sampleSubject(1, sample.seed);
/** Would run if a page took it for markup. */
export const scripted = '<img src=x onerror="window.injected = true"><script>window.injected = true</script>';
export const disputed = 'tax.declared_revenue_cents';
export const terms = {
  purpose: 'pre_loan_review', valid_days: 30, uses_max: 100, data_life_days: 30, kind: 'periodic', frequency: { max: 20, per: 'day' },
  fields: [
    { field: 'registry.name', ceiling: 'original' }, { field: 'registry.address', ceiling: 'desensitised' }, { field: 'registry.status', ceiling: 'original' },
    { field: 'tax.period', ceiling: 'original' }, { field: disputed, ceiling: 'desensitised' },
  ],
} as const;

/** A platform with records, two banks, and two enterprises whose representatives are signed in. */
export type EnterpriseStage = TestConsole & { readonly bank: BankClient; /** Its English name is markup. */ readonly otherBank: BankClient; readonly person: Person; readonly other: Person };

/** Undefined where there is no browser. */
export async function startEnterpriseStage(): Promise<EnterpriseStage | undefined> {
  const stage = await startTestConsole();
  if (stage === undefined) return undefined;
  const { platform } = stage;
  await loadSampleRecords(platform, ['registry', 'tax'], sample);
  const [bank, otherBank] = [await platform.bank('bank-a'), await platform.bank('bank-b')];
  await platform.database.query('update party set name_en = $1 where id = $2', [`Bank B ${scripted}`, 'bank-b']);
  return { ...stage, bank, otherBank, person: await representativeOf(platform, subject, '王芳'), other: await representativeOf(platform, otherSubject, scripted) };
}

/** What somebody does and sees on a page of the console. */
export function handsOn(page: Page) {
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
  return {
    heading,
    /** By the navigation. @param title of the page it leads to */
    async go(link: string, title: string | RegExp = link) {
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: link, exact: true }).click();
      await heading(title);
    },
    section: (name: string | RegExp) => page.locator('section').filter({ has: page.getByRole('heading', { level: 2, name }) }),
    checkbox: (label: RegExp) => page.locator('label.checkbox').filter({ hasText: label }),
    dialog: () => page.getByRole('dialog'),
    /** Both languages, both widths; ends in English. */
    async inspectInBoth(name: string) {
      await inspect(page, `${name}-en`);
      await page.getByRole('button', { name: '切换到中文' }).click();
      await page.getByRole('button', { name: 'Switch to English' }).waitFor();
      await inspect(page, `${name}-zh`);
      await page.getByRole('button', { name: 'Switch to English' }).click();
    },
    /** The file that pressing this saves. */
    async saved(press: Locator) {
      const [file] = await Promise.all([page.waitForEvent('download'), press.click()]);
      return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
    },
  };
}
