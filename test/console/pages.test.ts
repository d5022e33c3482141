import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { runnerImport } from 'vite';
import { repositoryFiles, textOf, root } from '../support/sources.ts';
import { password } from '../support/gateway.ts';
import { published } from './support/audit-stage.ts';
import { assertAccessible, assertFits } from './support/console.ts';
import { startEverything, type Everything } from './support/everything.ts';

type Ids = Everything['ids'];
type AreaName = keyof Everything['people'];
/** What the console says of its own pages. */
type Area = { readonly name: AreaName; readonly pages: readonly { readonly path: string }[] };

/** Of each page of the consoles: what of it is only there when it has something to show; and its address, where that names something. */
const examples: Readonly<Record<string, { readonly shows: string; readonly address?: (ids: Ids) => string }>> = {
  'compliance': { shows: '.figure' },
  'compliance/policy': { shows: '[role=gridcell]' },
  'compliance/purposes': { shows: 'a[href*="/compliance/purposes/"]' },
  'compliance/new-purpose': { shows: 'input' },
  'compliance/purposes/:purpose': { shows: 'input, td', address: () => 'compliance/purposes/pre_loan_review' },
  'compliance/draft': { shows: 'textarea' },
  'compliance/versions': { shows: 'td' },
  'compliance/versions/:version': { shows: 'dd', address: () => 'compliance/versions/2' },
  'compliance/withholds': { shows: 'td' },
  'compliance/institutions': { shows: 'td' },
  'compliance/institutions/:institution': { shows: 'dd', address: () => 'compliance/institutions/bank-a' },
  'compliance/models': { shows: 'td' },
  'compliance/models/:model': { shows: '[role=img]', address: ({ model }) => `compliance/models/${encodeURIComponent(model)}` },
  'compliance/projects': { shows: 'td' },
  'compliance/projects/:project': { shows: 'td', address: ({ project }) => `compliance/projects/${project}` },
  'compliance/objections': { shows: 'td' },
  'compliance/objections/:objection': { shows: 'dd', address: ({ objection }) => `compliance/objections/${objection}` },
  'compliance/people': { shows: 'td' },
  'enterprise': { shows: 'a[href*="/enterprise/requests/"]' },
  'enterprise/requests': { shows: 'td' },
  'enterprise/requests/:request': { shows: 'input', address: ({ request }) => `enterprise/requests/${request}` },
  'enterprise/grants': { shows: 'td' },
  'enterprise/grants/:grant': { shows: 'dd', address: ({ grant }) => `enterprise/grants/${grant}` },
  'enterprise/readers': { shows: 'td' },
  'enterprise/history': { shows: 'td' },
  'enterprise/history/:entry': { shows: 'td', address: ({ entry }) => `enterprise/history/${entry}` },
  'enterprise/objections': { shows: 'td' },
  'enterprise/objections/new': { shows: 'textarea' },
  'enterprise/objections/:objection': { shows: 'li', address: ({ objection }) => `enterprise/objections/${objection}` },
  'enterprise/data': { shows: 'section button' },
  'query': { shows: 'fieldset, input' },
  'catalogue': { shows: 'code' },
  'bank/grants': { shows: 'td' },
  'scores': { shows: 'input' },
  'scores/lists': { shows: 'td' },
  'notices': { shows: 'td' },
  'receipts': { shows: 'input' },
  'audit': { shows: '.figure' },
  'audit/entries': { shows: 'td' },
  'audit/entries/:index': { shows: 'td', address: ({ entry }) => `audit/entries/${entry}` },
  'audit/verification': { shows: 'input' },
  'audit/reports': { shows: 'td' },
  'audit/institutions': { shows: 'td', address: () => 'audit/institutions?institution=bank-a' },
};

describe('every page', function () {
  this.timeout(240_000);
  let stage: Everything;
  let areas: readonly Area[];

  before(async function () {
    const opened = await startEverything();
    if (opened === undefined) return this.skip();
    stage = opened;
    ({ module: { areas } } = await runnerImport<{ readonly areas: readonly Area[] }>(`${root}/src/console/areas.ts`, { configFile: false, logLevel: 'warn' }));
    return undefined;
  });
  after(async () => stage?.close());

  const address = (path: string) => stage.platform.gateway.issuerUrl + path;
  const faultOf = async (check: Promise<void>, what: string) => check.then(() => [], (fault: Error) => [`${what}: ${fault.message}`]);
  const width = (page: Page, px: number) => page.setViewportSize({ width: px, height: 900 });
  const settled = async (page: Page) => {
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  };

  it('of the consoles is among the examples of this test', () => {
    assert.deepEqual(areas.flatMap(({ pages }) => pages.map(({ path }) => path)).toSorted(), Object.keys(examples).toSorted());
  });

  /** What a screen reader goes by: landmarks, each once, and headings of which none is left out. */
  const outlineFaults = async (page: Page, what: string) => {
    const tree = await page.locator('body').ariaSnapshot();
    const count = (pattern: RegExp) => [...tree.matchAll(pattern)].length;
    const levelsIn = (part: string) => [...part.matchAll(/^ *- '?heading .*\[level=(\d)\]/gm)].map(([, level]) => Number(level));
    const [levels, inMain] = [levelsIn(tree), levelsIn(await page.getByRole('main').ariaSnapshot())];
    const faults = [
      ...['banner', 'main', 'navigation "(?:Pages|页面)"'].filter((landmark) => count(new RegExp(`^ *- ${landmark}(?=:|$)`, 'gm')) !== 1).map((landmark) => `not one ${landmark}`),
      ...(levels.filter((level) => level === 1).length === 1 && inMain[0] === 1 ? [] : [`headings begin ${inMain.join()}`]),
      ...inMain.filter((level, at) => level > (inMain[at - 1] ?? 0) + 1).map((level) => `a heading of level ${level} within none of ${level - 1}: ${inMain.join()}`),
    ];
    return faults.map((fault) => `${what}: ${fault}`);
  };

  /** The page is in one of its languages, wide; ends in the other. */
  const faultsIn = async (page: Page, path: string): Promise<readonly string[]> => {
    const language = () => page.evaluate<string>('document.documentElement.lang');
    const faults = [...await faultOf(assertAccessible(page), `${path} ${await language()} 1440 px`), ...await outlineFaults(page, path)];
    await width(page, 360);
    faults.push(...await faultOf(assertFits(page), `${path} ${await language()} 360 px`));
    await width(page, 1440);
    const before = await language();
    await page.getByRole('banner').getByRole('button', { name: /切换到中文|Switch to English/ }).click();
    await page.waitForFunction(`document.documentElement.lang !== '${before}'`);
    faults.push(...await faultOf(assertFits(page), `${path} ${await language()} 1440 px`));
    await width(page, 360);
    faults.push(...await faultOf(assertAccessible(page), `${path} ${await language()} 360 px`), ...await faultOf(assertFits(page), `${path} ${await language()} 360 px`));
    await width(page, 1440);
    return faults;
  };

  for (const name of ['compliance', 'enterprise', 'bank', 'audit'] as const) {
    it(`of the ${name} console, with something on it, is accessible in both languages and fits a telephone`, async () => {
      const page = await stage.open(stage.people[name], '/console/');
      await settled(page);
      if (name === 'bank') await page.getByLabel('Key file').setInputFiles(stage.keyFile);
      if (name === 'bank') await page.getByText('The key of bank-a is in this browser').waitFor();
      if (name === 'compliance') await putIntoDraft(page);
      const faults: string[] = [];
      for (const { path } of areas.find((area) => area.name === name)?.pages ?? []) {
        const { shows, address: of } = examples[path] ?? assert.fail(path);
        await page.goto(address(`/console/${of?.(stage.ids) ?? path}`));
        await settled(page);
        await page.locator('main').locator(shows).first().waitFor({ timeout: 10_000 }).catch(() => faults.push(`${path} shows no ${shows}`));
        faults.push(...await faultsIn(page, path));
      }
      assert.deepEqual(faults, []);
    });
  }

  /** A change in mind, as the grid keeps it in the tab. */
  const putIntoDraft = async (page: Page) => {
    const edit = { field: 'tax.declared_revenue_cents', use: 'read', purposes: ['post_loan_monitoring'], institution_classes: ['commercial_bank'], original: null };
    await page.evaluate(async (draft) => {
      const { sessionStorage } = globalThis as unknown as { readonly sessionStorage: { readonly setItem: (name: string, text: string) => void } };
      const { account } = await (await fetch('/console/api/session')).json() as { readonly account: string };
      sessionStorage.setItem(`veilgate.draft.${account}`, JSON.stringify(draft));
    }, { basis: 1, edits: [edit], comment: '', effectiveOn: '', adjustTests: false, key: 'a-key-of-the-test' });
  };

  describe('says aloud', () => {
    /** What a screen reader says without being asked, as it comes. */
    const says = (page: Page, how: 'alert' | 'status', text: string | RegExp) => page.getByRole(how).filter({ hasText: text }).first().waitFor({ timeout: 20_000 });
    /** Pressed without a network, then with one. */
    const inVainThenAgain = async (page: Page, press: () => Promise<void>, why = 'The platform does not answer') => {
      await page.context().setOffline(true);
      await press();
      await says(page, 'alert', why);
      await page.context().setOffline(false);
      await press();
    };
    const at = async (name: AreaName, path: string) => {
      const page = await stage.open(stage.people[name], `/console/${path}`);
      await settled(page);
      return page;
    };

    it('to a compliance officer that a field is closed, or why not', async () => {
      const page = await at('compliance', 'compliance/withholds?field=tax.period&purpose=pre_loan_review');
      await page.getByLabel('Reason code').fill('wrong_values');
      await inVainThenAgain(page, () => page.getByRole('button', { name: 'Withhold at once' }).click());
      await says(page, 'status', 'tax.period is withheld for pre_loan_review now');
    });

    it('to an enterprise that a grant is paused, and what changed meanwhile, or why not', async () => {
      const page = await at('enterprise', `enterprise/grants/${stage.ids.grant}`);
      await page.getByRole('button', { name: 'Pause' }).click();
      await inVainThenAgain(page, () => page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click());
      await says(page, 'status', 'The grant is paused.');
      await page.goto(address(`/console/enterprise/requests/${stage.ids.request}`));
      await page.getByRole('button', { name: 'Agree' }).waitFor();
      await stage.platform.database.query("update party set name_en = name_en || ' and Partners' where id = 'bank-a'");
      await page.getByRole('button', { name: 'Agree' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Agree' }).click();
      await says(page, 'alert', 'What you would agree to has changed since you read it');
    });

    it('to a bank that a notice is acknowledged, or why not', async () => {
      const page = await at('bank', 'notices');
      await inVainThenAgain(page, () => page.getByRole('button', { name: 'Acknowledge' }).click());
      await says(page, 'status', 'Acknowledged');
    });

    it('to an auditor that the log is sound, or why nothing can be said', async () => {
      await published(stage.platform);
      const page = await at('audit', 'audit/verification');
      await page.getByLabel('Key you were given by another way').fill(stage.platform.gateway.logVerifierKey);
      await says(page, 'status', 'It is the same key.');
      await page.getByRole('button', { name: 'Remember this key' }).click();
      await inVainThenAgain(page, () => page.getByRole('button', { name: 'Start' }).click(), 'The log does not answer');
      await says(page, 'status', 'The log is sound');
    });
  });

  describe('of the authorization server', () => {
    const shown: Readonly<Record<string, () => Promise<Page>>> = {
      '/sign-in': async () => stage.open(undefined, '/sign-in'),
      '/sign-in/passkey': async () => stage.open(undefined, '/sign-in/passkey'),
      '/activation': async () => stage.open(undefined, '/activation?for=bank-a'),
      '/second-factor': async () => {
        const { pathname, search } = new URL(stage.invitation.page);
        const page = await stage.open(undefined, pathname + search);
        await page.fill('[name=code]', stage.invitation.activation_code);
        await page.fill('[name=username]', 'new.clerk');
        for (const name of ['password', 'password_again']) await page.fill(`[name=${name}]`, password);
        await page.getByRole('button', { name: 'Activate account' }).click();
        await page.waitForURL(/\/second-factor/);
        return page;
      },
      '/password': async () => stage.open(stage.people.bank, '/password'),
      '/passkeys': async () => stage.open(stage.people.bank, '/passkeys'),
      '/consents': async () => stage.open(stage.people.enterprise, '/consents'),
      '/consent/:uid': async () => {
        const page = await stage.open(stage.people.enterprise, '/consents');
        await page.goto(await stage.consentAddress());
        return page;
      },
    };
    /** No page of its own: the first leads elsewhere, the second is a file. */
    const none = ['/', '/consents/:grant/receipt'];

    it('is among the examples of this test', () => {
      const routes = repositoryFiles('src/authorization').filter((file) => file.endsWith('-routes.ts')).flatMap((file) => [...textOf(file).matchAll(/router\.get\('([^']+)'/g)].map(([, path = '']) => path));
      assert.deepEqual(routes.toSorted(), [...Object.keys(shown), ...none].toSorted());
    });

    it('is accessible in both languages and fits a telephone, also when something went wrong', async () => {
      const faults: string[] = [];
      const wrong = async () => {
        const page = await stage.open(undefined, '/sign-in');
        await page.fill('[name=username]', 'nobody');
        await page.fill('[name=password]', 'wrong password');
        await page.click('form button:not(.link)');
        await page.getByRole('alert').waitFor();
        return page;
      };
      for (const [path, open] of Object.entries({ ...shown, 'a wrong password': wrong, 'nothing there': async () => stage.open(undefined, '/nowhere') })) {
        const page = await open();
        for (const language of ['en', 'zh'] as const) {
          if (language === 'zh') await page.getByRole('link', { name: '中文' }).click();
          await page.locator(`html[lang^=${language}]`).waitFor();
          for (const px of [1440, 360]) {
            await width(page, px);
            faults.push(...await faultOf(assertFits(page), `${path} ${language} ${px} px`));
          }
          faults.push(...await faultOf(assertAccessible(page), `${path} ${language} 360 px`));
          await width(page, 1440);
        }
        await page.close();
      }
      assert.deepEqual(faults, []);
    });
  });
});
