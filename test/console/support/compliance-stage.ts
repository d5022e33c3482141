import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { sampleCsv, sampleRows } from '../../../scripts/sample/generate.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import type { BankClient } from '../../../src/sdk/bank.ts';
import { policiesClient } from '../../../src/sdk/policies.ts';
import { policyCellsClient } from '../../../src/sdk/policy-cells.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { DatasetId } from '../../../src/vocabulary.ts';
import { startTestConsole, type TestConsole } from './console.ts';
import { personOf, signedIn } from './people.ts';

const sample = { enterprises: 2, seed: 5 };
export const subject: string = sampleSubject(0, sample.seed);
export const purpose = 'pre_loan_review';
export const invoiced = 'tax.invoiced_cents';
export const vatPaid = 'tax.vat_paid_cents';

/** A platform with records and a guarantee company that may ask, and two compliance officers at their consoles. */
export type ComplianceStage = TestConsole & {
  /** May ask for what was invoiced and paid; of class guarantee_company, it gets both as bands. */
  readonly bank: BankClient;
  /** The enterprise lets another institution have the originals of the same. */
  readonly grantTo: (institution: string) => Promise<void>;
  /** In English, who proposes. */
  readonly author: Page;
  /** In Chinese, who decides. */
  readonly second: Page;
  readonly policies: ReturnType<typeof policiesClient>;
  readonly cells: ReturnType<typeof policyCellsClient>;
  /** Both sign in anew: their sessions are over. */
  readonly signInAgain: () => Promise<void>;
  /** Forms in which a query's fields come, and those it does not give. */
  readonly ask: () => Promise<{ readonly forms: Readonly<Record<string, readonly string[]>>; readonly withheld: readonly string[] }>;
};

/** Undefined where there is no browser. */
export async function startComplianceStage(): Promise<ComplianceStage | undefined> {
  const stage = await startTestConsole({ VEILGATE_POLICY_SOURCE: 'database' });
  if (stage === undefined) return undefined;
  const { platform } = stage;
  await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
  await platform.compliance.approveOfficer('officer-second');
  const tax = loadCatalogue('policies/catalogue').datasets.get('tax' as DatasetId);
  assert.ok(tax);
  await platform.load('tax', tax.department, [...sampleCsv(tax, sample)].join(''));
  const bank = await platform.bank('bank-a', { institutionClass: 'guarantee_company' });
  const enterprise = await platform.enterprise(subject);
  const grantTo = async (institution: string) => {
    await enterprise.grant(institution, {
      subject, purpose, valid_days: 30, uses_max: 100, data_life_days: 30, kind: 'periodic', fields: [invoiced, vatPaid].map((field) => ({ field, ceiling: 'original' as const })),
    });
  };
  await grantTo('bank-a');
  let signIns = 0;
  const people = async () => {
    signIns += 1;
    return [await personOf(platform, 'officer-compliance', 'officer', `Li ${signIns}`, 'compliance'), await personOf(platform, 'officer-second', 'officer', `Wang ${signIns}`, 'compliance')] as const;
  };
  const [one, other] = await people();
  const author = await stage.open(one, '/console/compliance');
  const second = await stage.open(other, '/console/compliance', { language: 'zh' });
  const own = await platform.connect('officer-compliance', 'compliance');
  return {
    ...stage, bank, grantTo, author, second, policies: policiesClient(own), cells: policyCellsClient(own),
    async signInAgain() {
      const [again, otherAgain] = await people();
      await signedIn(author.context(), platform, again);
      await signedIn(second.context(), platform, otherAgain);
    },
    async ask() {
      const { data, withheld } = await bank.query({ subject, purpose, read: [invoiced, vatPaid] });
      const rows = data['tax'] ?? [];
      const formsOf = (field: string) => [...new Set(rows.flatMap((row) => row[field]?.kind ?? []))];
      return { forms: { [invoiced]: formsOf('invoiced_cents'), [vatPaid]: formsOf('vat_paid_cents') }, withheld: withheld.map(({ field }) => field) };
    },
  };
}

/** What an officer does at the pages of the policy. */
export function officerAt(page: Page, { platform }: Pick<TestConsole, 'platform'>) {
  const go = async (address: string) => {
    await page.goto(platform.gateway.issuerUrl + address);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };
  return {
    go,
    /** Opens the editor of a field for {@link purpose} and a class. @param field `dataset.field` */
    async edit(field: string, institutionClass: string) {
      await go(`/console/compliance/policy?class=${institutionClass}&text=${field.split('.')[1] ?? ''}`);
      await page.getByRole('row', { name: field.split('.')[1] ?? '' }).getByRole('gridcell').first().click();
    },
    /** Proposes the draft, with what its tests need. @param firstDay empty: as soon as it is approved */
    async proposeDraft(comment: string, firstDay = '') {
      await page.getByRole('link', { name: 'Review and propose' }).click();
      await page.getByText(/tests pass\.|do not come true\./).first().waitFor();
      const adjust = page.getByText('Bring the expectations about the changed cells up to date');
      if (await adjust.count() > 0) {
        await adjust.click();
        await page.getByText(/All \d+ tests pass/).waitFor();
      }
      await page.getByLabel('Why, in your own words').fill(comment);
      await page.getByLabel('First day in force').fill(firstDay);
      await page.getByRole('button', { name: 'Propose', exact: true }).click();
      await page.getByText('Somebody else decides on it now.').waitFor();
    },
    /** Decides in a dialog that one button opens and another of the same name closes. */
    async decide(button: string, text?: readonly [label: string | RegExp, typed: string]) {
      await page.getByRole('button', { name: button, exact: true }).first().click();
      const dialog = page.getByRole('dialog');
      if (text !== undefined) await dialog.getByLabel(text[0]).fill(text[1]);
      await dialog.getByRole('button', { name: button, exact: true }).click();
      return dialog;
    },
  };
}

/** Values of the records that must not be on any page of an officer. */
export const recordedValues: readonly string[] = [...sampleRows('tax', sample)].flatMap(({ invoiced_cents: amount, vat_paid_cents: vat }) => [amount, vat]).filter((value) => value !== null && value !== undefined).map(String).filter((text) => text.length > 4);
