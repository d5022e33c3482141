import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import type { BankClient } from '../../../src/sdk/bank.ts';
import { codeOf } from '../../support/joint.ts';
import type { TestPlatform } from '../../support/gateway.ts';
import { inspect } from './console.ts';
import { loadSampleRecords } from '../../support/sample-records.ts';

const sample = { enterprises: 3, seed: 3 };
export const subject: string = sampleSubject(0, sample.seed);
const otherSubject: string = sampleSubject(1, sample.seed);
const terms = {
  purpose: 'pre_loan_review', valid_days: 30, uses_max: 10, data_life_days: 30, kind: 'periodic',
  fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'tax.declared_revenue_cents', ceiling: 'desensitised' }],
} as const;
export const scripted = '<img src=x onerror="window.injected = true"><script>window.injected = true</script>';

/** What an auditor finds: answers, refusals, a suspension, and requests in spite of it. */
export async function makeHistory(platform: TestPlatform): Promise<BankClient> {
  await loadSampleRecords(platform, ['registry', 'tax'], sample);
  const bank = await platform.bank('bank-a');
  await platform.bank('bank-b');
  await platform.database.query('update party set name_en = $1 where id = $2', [`Bank B ${scripted}`, 'bank-b']);
  await (await platform.enterprise(subject)).grant('bank-a', { subject, ...terms });
  await ask(bank);
  for (let time = 0; time < 25; time += 1) assert.equal(await codeOf(bank.query({ subject: otherSubject, purpose: terms.purpose, read: ['registry.name'] })), 'CONSENT_REQUIRED');
  await platform.compliance.suspend('bank-a', 'terms_violated');
  assert.equal(await codeOf(ask(bank)), 'INSTITUTION_NOT_ACTIVE');
  await platform.compliance.reinstate('bank-a');
  return bank;
}

/** One answer, with an original, a band and a field that is withheld. */
export const ask = (bank: BankClient) =>
  bank.query({ subject, purpose: terms.purpose, read: ['registry.name', 'tax.declared_revenue_cents', 'owner.name'], verify: [{ field: 'tax.declared_revenue_cents', claimed: 1 }] });

/** Both languages, both widths; ends in English. */
export async function inspectInBoth(page: Page, name: string): Promise<void> {
  await inspect(page, `audit-${name}-en`);
  await page.getByRole('button', { name: '切换到中文' }).click();
  await page.getByRole('button', { name: 'Switch to English' }).waitFor();
  await inspect(page, `audit-${name}-zh`);
  await page.getByRole('button', { name: 'Switch to English' }).click();
  await page.getByRole('button', { name: '切换到中文' }).waitFor();
}

/** Steps on a page of the auditor. */
export function auditPages(page: Page) {
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
  return {
    heading,
    async go(link: string) {
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: link, exact: true }).click();
      await heading(link);
    },
    section: (name: string | RegExp) => page.locator('section').filter({ has: page.getByRole('heading', { level: 2, name }) }),
    async choose(label: string, option: string | RegExp) {
      await page.getByRole('button', { name: new RegExp(`${label}$`) }).click();
      await page.getByRole('option', { name: option }).click();
    },
    async saved(press: Locator) {
      const [file] = await Promise.all([page.waitForEvent('download'), press.click()]);
      return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
    },
    /** Verifies the log and waits for what comes of it. */
    async verify(depth: 'Continuation' | 'New entries' | 'Everything', verdict: string) {
      await page.getByText(new RegExp(`^${depth}:`)).click();
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByText(verdict, { exact: true }).waitFor();
    },
  };
}

/** Until a checkpoint counts every entry of the log. */
export async function published({ database }: TestPlatform): Promise<void> {
  const sizes = async () => (await database.query<{ entries: number; counted: number }>(
    'select (select count(*)::int from audit_entry) as entries, coalesce((select max(size)::int from audit_checkpoint), 0) as counted')).rows[0];
  for (let at = 0; at < 100; at += 1) {
    const now = await sizes();
    if (now !== undefined && now.entries === now.counted) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('no checkpoint counts the newest entries');
}
